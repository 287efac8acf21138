//! The program itself, started as its user starts it.

use std::{fs, net::SocketAddr, path::Path, process::Stdio, sync::Arc};

use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
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
        let mut command = command(arguments);
        command.stderr(Stdio::inherit());
        Self::up(command).await
    }

    /// Runs the command and waits until the program is up.
    pub(crate) async fn up(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
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

    /// Sends the signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).unwrap();
    }

    /// Waits for the exit code.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        tokio::time::timeout(SOON, self.child.wait()).await.expect("it ends in time").unwrap().code()
    }

    /// Sends the signal and waits for the exit code.
    #[cfg(unix)]
    pub(crate) async fn stop(&mut self, signal: nix::sys::signal::Signal) -> Option<i32> {
        self.signal(signal);
        self.ended().await
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
    let mut config = tls().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let name = ServerName::from(stream.peer_addr().unwrap().ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// A TLS connection to the address, whichever certificate is shown there.
pub(crate) async fn connect_to_whoever(address: SocketAddr) -> TlsStream<TcpStream> {
    let config =
        tls().dangerous().with_custom_certificate_verifier(Arc::new(Whichever)).with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::from(address.ip());
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// The certificate that the server at this address shows.
pub(crate) async fn certificate(address: SocketAddr) -> Vec<u8> {
    let stream = connect_to_whoever(address).await;
    let (_, connection) = stream.get_ref();
    connection.peer_certificates().unwrap()[0].to_vec()
}

fn tls() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

/// Takes whichever certificate is shown.
#[derive(Debug)]
struct Whichever;

impl ServerCertVerifier for Whichever {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
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
