//! The program as its user meets it: what it prints, what it complains of, how it ends.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
};

use crate::common::{
    exchange_over,
    program::{Program, connect, run},
    request,
};
use nix::sys::signal::Signal;

/// Asserts that the program ended with this code and one message on standard error, without a backtrace.
async fn assert_complains(arguments: &[&str], code: i32, messages: &[&str]) {
    let (ended, output, complaint) = run(&[&["--log=off"], arguments].concat()).await;
    assert_eq!(ended, Some(code), "{arguments:?}: {complaint}");
    assert_eq!(output, "", "{arguments:?}");
    for message in messages {
        assert!(complaint.contains(message), "{arguments:?}: {complaint}");
    }
    assert!(complaint.starts_with("error: "), "{complaint}");
    assert!(!complaint.contains("panicked") && !complaint.contains("RUST_BACKTRACE"), "{complaint}");
    if code == 1 {
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[tokio::test]
async fn what_it_prints_names_the_page_the_udp_address_and_the_certificate() {
    let program = Program::start(&[]).await;
    let port = program.address.port();
    assert!(program.report.contains(&format!(" https://127.0.0.1:{port}/\n")), "{}", program.report);
    assert!(program.report.contains(&format!("UDP 127.0.0.1:{port}")), "{}", program.report);
    assert!(program.report.contains(program.state.path().to_str().unwrap()), "{}", program.report);
    let (_, fingerprint) = program.report.split_once("SHA-256 ").unwrap();
    assert_eq!(fingerprint.lines().next().unwrap().split(':').count(), 32);
    assert!(UdpSocket::bind(program.address).is_err(), "UDP is bound to the same number");
}

#[tokio::test]
async fn the_certificate_is_the_same_at_the_next_start() {
    let state = tempfile::tempdir().unwrap();
    let folder = format!("--state-dir={}", state.path().join("kept").display());
    let fingerprint = async || {
        let program = Program::start_with(&["--listen=127.0.0.1:0", &folder]).await;
        program.report.split_once("SHA-256 ").unwrap().1.lines().next().unwrap().to_owned()
    };
    assert_eq!(fingerprint().await, fingerprint().await);
}

#[tokio::test]
async fn pem_files_are_served() {
    let made = Program::start(&[]).await;
    let cert = made.state.path().join("certificate.pem");
    let key = made.state.path().join("key.pem");
    let arguments =
        ["--listen=127.0.0.1:0", "--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let program = Program::start_with(&arguments).await;
    assert!(program.report.contains(&format!("from {}", cert.display())), "{}", program.report);
    let stream = connect(program.address, &cert, "http/1.1").await;
    assert_eq!(exchange_over(stream, &request("GET /healthz", &[], "")).await.status, 200);
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_protocol() {
    let state = tempfile::tempdir().unwrap();
    let folder = format!("--state-dir={}", state.path().display());
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let listen = format!("--listen=127.0.0.1:{port}");
    let taken = format!("TCP port {port} is taken");
    assert_complains(&[&listen, &folder], 1, &[&taken, "--listen 127.0.0.1:"]).await;

    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = udp.local_addr().unwrap().port();
    let listen = format!("--listen=127.0.0.1:{port}");
    let taken = format!("UDP port {port} is taken");
    assert_complains(&[&listen, &folder], 1, &[&taken, "--listen 127.0.0.1:"]).await;
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_named() {
    let state = tempfile::tempdir().unwrap();
    let folder = format!("--state-dir={}", state.path().display());
    // 192.0.2.0/24 is for documentation and no host's (RFC 5737).
    let messages = ["192.0.2.1 is no address of this host", "--listen [::]:8443"];
    assert_complains(&["--listen=192.0.2.1:8443", &folder], 1, &messages).await;
}

#[tokio::test]
async fn a_fault_of_the_certificate_is_named_with_its_file() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("text.pem");
    fs::write(&file, "hello\n").unwrap();
    let file = file.to_str().unwrap();
    let listen = "--listen=127.0.0.1:0";
    assert_complains(
        &[listen, "--cert=/nowhere/cert.pem", "--key=/nowhere/key.pem"],
        1,
        &["the certificate cannot be read from /nowhere/cert.pem", "No such file"],
    )
    .await;
    assert_complains(&[listen, "--cert", file, "--key", file], 1, &[file, "holds no certificate"]).await;
    let below_a_file = format!("--state-dir={file}/folder");
    assert_complains(&[listen, &below_a_file], 1, &["cannot be kept in", "--state-dir"]).await;
}

#[tokio::test]
async fn a_fault_of_the_command_line_ends_with_code_2() {
    for (arguments, message) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["--listen=8443"], "--listen"),
        (&["--cert=cert.pem"], "--key"),
        (&["--key=key.pem"], "--cert"),
        (&["--allow-origin=example.org/"], "https://example.org"),
        (&["--check-timeout=0s"], "above zero"),
        (&["surplus"], "surplus"),
    ] {
        assert_complains(arguments, 2, &[message]).await;
    }
}

#[tokio::test]
async fn help_and_version_are_printed() {
    let (code, help, _) = run(&["--help"]).await;
    assert_eq!(code, Some(0));
    for flag in ["--listen", "HOLA_LISTEN", "[default: [::]:8443]", "--greeting-interval", "--state-dir"] {
        assert!(help.contains(flag), "{help}");
    }
    let (code, version, _) = run(&["--version"]).await;
    assert_eq!((code, version.trim()), (Some(0), concat!("hola-webrtc ", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn told_to_stop_it_ends_well_even_with_idle_connections() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut program = Program::start(&[]).await;
        let idle = program.connect("http/1.1").await;
        let begun = std::time::Instant::now();
        assert_eq!(program.stop(signal).await, Some(0), "{signal}");
        assert!(begun.elapsed() < std::time::Duration::from_secs(7), "{signal}");
        drop(idle);
    }
}
