//! The server as a child process.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use ureq::{Agent, tls::TlsConfig};
use xshell::{Shell, cmd};

use crate::{
    process::{POLL, Process},
    project::Project,
};

/// How long the server may take to answer after its start; making a certificate is the longest part.
const START: Duration = Duration::from_secs(30);

/// Builds the server in a Cargo profile and says where the binary is.
pub fn build(shell: &Shell, project: &Project, profile: &str) -> Result<PathBuf> {
    cmd!(shell, "cargo build --package hola-webrtc-server --bin hola-webrtc --profile {profile}")
        .run()
        .context("the server does not build")?;
    Ok(binary(project, profile))
}

/// Where Cargo puts the server's binary of a profile.
pub fn binary(project: &Project, profile: &str) -> PathBuf {
    project.program(profile, "hola-webrtc")
}

/// How to start the server.
#[derive(Clone, Debug)]
pub struct Launch {
    program: PathBuf,
    listen: SocketAddr,
    arguments: Vec<String>,
    variables: Vec<(String, PathBuf)>,
    log: Option<PathBuf>,
}

impl Launch {
    /// Starts `program` on `listen`, with what it prints going where our own output goes.
    pub fn new(program: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self { program: program.into(), listen, arguments: Vec::new(), variables: Vec::new(), log: None }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<I: Into<String>>(mut self, arguments: impl IntoIterator<Item = I>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable to a path.
    #[must_use]
    pub fn variable(mut self, name: &str, path: impl Into<PathBuf>) -> Self {
        self.variables.push((name.to_owned(), path.into()));
        self
    }

    /// Appends what it prints to a file instead.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Starts the server and waits until it answers.
    pub fn start(&self) -> Result<Server> {
        let mut command = Command::new(&self.program);
        command.arg("--listen").arg(self.listen.to_string()).args(&self.arguments);
        command.envs(self.variables.iter().map(|(name, path)| (name, path)));
        if let Some(path) = &self.log {
            let log = append(path)?;
            command.stdout(log.try_clone()?).stderr(log);
        }
        let mut server = Server { process: Process::spawn("the server", command)?, listen: self.listen };
        server.wait_until_healthy().with_context(|| match &self.log {
            Some(path) => format!("its log is {}", path.display()),
            None => "it says above why".to_owned(),
        })?;
        Ok(server)
    }
}

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    process: Process,
    listen: SocketAddr,
}

impl Server {
    /// Ends it at once: it tells nobody.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// Its address for a program on this machine, as `https://127.0.0.1:8443`.
    pub fn url(&self) -> String {
        format!("https://{}", reachable(self.listen))
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let agent = agent();
        let url = format!("{}/healthz", self.url());
        let deadline = Instant::now() + START;
        loop {
            if let Some(status) = self.process.ended()? {
                bail!("the server ended at once ({status})");
            }
            if agent.get(&url).call().is_ok() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the server did not answer {url} within {} s", START.as_secs());
            }
            thread::sleep(POLL);
        }
    }
}

/// An HTTP client that takes the server's self-signed certificate: it asks a process of our own, on this machine.
pub fn agent() -> Agent {
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .disable_verification(true)
        .build();
    let timeout = Some(Duration::from_secs(2));
    Agent::config_builder().tls_config(tls).timeout_global(timeout).proxy(None).build().into()
}

/// Every IPv4 address of this machine, at a port that is free for TCP and for UDP. A server on loopback alone would not
/// do for tests: Firefox gathers no candidates there for a page that has no camera, and pairs no others with it.
pub fn free_address() -> Result<SocketAddr> {
    const ATTEMPTS: usize = 20;
    for _ in 0..ATTEMPTS {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        let address = listener.local_addr()?;
        if UdpSocket::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port is free for both TCP and UDP")
}

/// Fails with what to do if another program has the port.
pub fn check_port_is_free(address: SocketAddr, option: &str) -> Result<()> {
    match TcpListener::bind(address).and_then(|_| UdpSocket::bind(address)) {
        Ok(_) => Ok(()),
        Err(error) => bail!(
            "cannot use {address}: {error}. Is the command running twice? End the other program, or choose another address with {option}"
        ),
    }
}

/// The address under which a program on this machine reaches a listener on `listen`.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() { SocketAddr::from(([127, 0, 0, 1], listen.port())) } else { listen }
}

fn append(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_reached_on_loopback() {
        assert_eq!(reachable("[::]:8443".parse().unwrap()).to_string(), "127.0.0.1:8443");
        assert_eq!(reachable("0.0.0.0:1".parse().unwrap()).to_string(), "127.0.0.1:1");
        assert_eq!(reachable("[::1]:8443".parse().unwrap()).to_string(), "[::1]:8443");
    }

    #[test]
    fn a_taken_port_is_named_with_the_option_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = check_port_is_free(address, "--listen").unwrap_err().to_string();
        assert!(error.contains(&address.to_string()), "{error}");
        assert!(error.ends_with("with --listen"), "{error}");
    }

    #[test]
    fn a_free_address_can_be_bound_by_both_protocols() {
        let address = free_address().unwrap();
        assert!(check_port_is_free(address, "--listen").is_ok());
    }

    #[test]
    fn a_server_that_ends_at_once_is_reported_with_its_status() {
        let launch = Launch::new("false", free_address().unwrap());
        let error = format!("{:#}", launch.start().unwrap_err());
        assert!(error.contains("the server ended at once (exit status: 1)"), "{error}");
    }
}
