//! The program's HTTPS: what it speaks, what it serves beside the signalling, and whom it does not wait for.

use std::time::Duration;

use crate::common::{SOON, exchange_over, program::Program, request};
use axum::body::Body;
use hola_webrtc_protocol::ProblemCode;
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

#[tokio::test]
async fn http_1_1_is_spoken_and_faults_are_problems() {
    let program = Program::start(&[]).await;
    let stream = program.connect("http/1.1").await;
    let healthy = exchange_over(stream, &request("GET /healthz", &[], "")).await;
    assert_eq!((healthy.status, healthy.text()), (200, "ok\n"));

    for (target, code) in [
        ("POST /offer", ProblemCode::UnsupportedMediaType),
        ("GET /offer", ProblemCode::MethodNotAllowed),
        ("GET /none", ProblemCode::NotFound),
        ("GET /../Cargo.toml", ProblemCode::NotFound),
        ("GET /%2e%2e/Cargo.toml", ProblemCode::NotFound),
        ("DELETE /sessions/0", ProblemCode::NotFound),
        ("POST /", ProblemCode::MethodNotAllowed),
    ] {
        let stream = program.connect("http/1.1").await;
        exchange_over(stream, &request(target, &[], "")).await.assert_refused(code, target);
    }
}

#[tokio::test]
async fn http_2_is_spoken() {
    let program = Program::start(&[]).await;
    let stream = TokioIo::new(program.connect("h2").await);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    for (path, status) in [("/healthz", 200), ("/offer", 405), ("/none", 404), ("/", 200)] {
        let uri = format!("https://localhost{path}");
        let reply = client.send_request(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(reply.status(), status, "{path}");
    }
}

#[tokio::test]
async fn the_page_is_served_with_a_policy() {
    let program = Program::start(&[]).await;
    let stream = program.connect("http/1.1").await;
    let page = exchange_over(stream, &request("GET /", &[], "")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'"), "{policy}");
    assert!(policy.contains("connect-src 'self' https:"), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");

    let stream = program.connect("http/1.1").await;
    let compressed = exchange_over(stream, &request("GET /", &[("accept-encoding", "br")], "")).await;
    assert_eq!(compressed.header("content-encoding"), Some("br"));
    let stream = program.connect("http/1.1").await;
    let head = exchange_over(stream, &request("HEAD /", &[], "")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn other_origins_are_let_in_by_the_flag() {
    let program = Program::start(&["--allow-origin=https://a.example"]).await;
    let headers = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    let stream = program.connect("http/1.1").await;
    let reply = exchange_over(stream, &request("OPTIONS /offer", &headers, "")).await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, Some("https://a.example")));
}

#[tokio::test]
async fn nobody_who_dawdles_is_waited_for_and_nobody_else_suffers() {
    let mut program = Program::start(&[]).await;
    let mut dawdlers = Vec::new();
    for bytes in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"\x16"] {
        let mut stream = TcpStream::connect(program.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        dawdlers.push(tokio::spawn(closed(stream)));
    }
    for (alpn, bytes) in [
        ("http/1.1", &b""[..]),
        ("http/1.1", b"POST /offer HTTP/1.1\r\nhost: x\r\ncontent-type"),
        ("h2", b""),
        ("h2", b"PRI * HTTP/2.0\r\n"),
    ] {
        let mut stream = program.connect(alpn).await;
        stream.write_all(bytes).await.unwrap();
        dawdlers.push(tokio::spawn(closed(stream)));
    }
    let stream = program.connect("http/1.1").await;
    assert_eq!(exchange_over(stream, &request("GET /healthz", &[], "")).await.status, 200);
    for dawdler in dawdlers {
        timeout(SOON, dawdler).await.expect("the server closes in time").unwrap();
    }
    assert!(program.child.try_wait().unwrap().is_none(), "the program still runs");
}

#[tokio::test]
async fn plain_http_at_the_port_of_tls_is_turned_away() {
    let mut program = Program::start(&[]).await;
    for bytes in [&b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..], &[0xff; 1000]] {
        let mut stream = TcpStream::connect(program.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        timeout(Duration::from_secs(5), closed(stream)).await.expect("the server closes at once");
    }
    let stream = program.connect("http/1.1").await;
    assert_eq!(exchange_over(stream, &request("GET /healthz", &[], "")).await.status, 200);
    assert!(program.child.try_wait().unwrap().is_none(), "the program still runs");
}

/// Waits until the server closes the connection.
async fn closed(mut stream: impl AsyncReadExt + Unpin) {
    let mut rest = Vec::new();
    // Whether with or without a goodbye is its own matter.
    let _ = stream.read_to_end(&mut rest).await;
}
