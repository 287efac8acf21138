//! The program itself, started as its user starts it.

use std::{fs, net::SocketAddr, path::Path, process::Stdio, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::SOON;

/// A running program with a state folder of its own; it is killed when dropped.
pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) state: TempDir,
    pub(crate) address: SocketAddr,
    /// What it printed when it was up.
    pub(crate) report: String,
}

/// The program with these arguments, without what the environment may say.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hola-webrtc"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOLA_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

impl Program {
    /// Starts it on a free port of the loopback, with a new state folder, and waits until it is up.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().to_str().unwrap().to_owned();
        let arguments = [&["--listen=127.0.0.1:0", "--log=warn", "--state-dir", &folder], arguments].concat();
        Self { state, ..Self::start_with(&arguments).await }
    }

    /// Starts it with these arguments and waits until it is up.
    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut report = String::new();
        while !report.contains("Ctrl-C") {
            let line =
                tokio::time::timeout(SOON, lines.next_line()).await.expect("it starts in time").unwrap();
            report += &line.expect("it starts");
            report.push('\n');
        }
        let (_, rest) = report.split_once("https://").unwrap();
        let (address, _) = rest.split_once('/').unwrap();
        let state = tempfile::tempdir().unwrap();
        Self { child, state, address: address.parse().unwrap(), report }
    }

    /// A TLS connection that trusts the program's certificate and nothing else, and so checks it.
    pub(crate) async fn connect(&self, alpn: &str) -> TlsStream<TcpStream> {
        connect(self.address, &self.state.path().join("certificate.pem"), alpn).await
    }

    /// Sends the signal and waits for the exit code.
    #[cfg(unix)]
    pub(crate) async fn stop(&mut self, signal: nix::sys::signal::Signal) -> Option<i32> {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).unwrap();
        tokio::time::timeout(SOON, self.child.wait()).await.expect("it ends in time").unwrap().code()
    }
}

/// A TLS connection to the address that trusts this certificate only.
pub(crate) async fn connect(address: SocketAddr, certificate: &Path, alpn: &str) -> TlsStream<TcpStream> {
    shake_hands(TcpStream::connect(address).await.unwrap(), certificate, alpn).await
}

/// TLS over this connection, trusting this certificate only.
pub(crate) async fn shake_hands(stream: TcpStream, certificate: &Path, alpn: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&fs::read(certificate).unwrap()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let name = ServerName::from(stream.peer_addr().unwrap().ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Runs the program to its end: the exit code, what it printed, what it complained of.
pub(crate) async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (mut output, mut complaint) = (String::new(), String::new());
    let ended = async {
        let (read, complained, status) = tokio::join!(
            stdout.read_to_string(&mut output),
            stderr.read_to_string(&mut complaint),
            child.wait()
        );
        read.and(complained).unwrap();
        status.unwrap().code()
    };
    let code = tokio::time::timeout(SOON, ended).await.expect("it ends in time");
    (code, output, complaint)
}
