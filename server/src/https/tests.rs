use std::convert::Infallible;

use axum::{body::Body, routing::get};
use futures_util::{StreamExt, stream};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::certificate::{Certificate, Subject, in_memory};

/// Bounds that nobody meets.
pub(super) fn bounds() -> Bounds {
    Bounds {
        max_connections: 1000,
        max_connections_per_address: 1000,
        max_handshakes: 1000,
        header_timeout: Duration::from_mins(5),
        write_timeout: Duration::from_mins(5),
        trusted_proxies: Vec::new(),
    }
}

const SHORT: Duration = Duration::from_millis(200);

/// The day of the certificate, which the client's clock has to agree with.
#[expect(clippy::disallowed_methods, reason = "certificates hold by the wall clock")]
fn today() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A server with short time limits whose `/quiet` says one word, nothing for far longer than any limit, and another.
fn quiet_server() -> (SocketAddr, Certificate) {
    let subject = Subject { names: vec!["localhost".to_owned()], addresses: Vec::new() };
    let certificate = in_memory(&subject, today()).unwrap();
    let words = || {
        let words = stream::iter(["one", "two"]).enumerate().then(async |(number, word)| {
            tokio::time::sleep(u32::try_from(number).unwrap() * SHORT * 10).await;
            Ok::<_, Infallible>(word)
        });
        Body::from_stream(words)
    };
    let app = Router::new().route("/quiet", get(async move || words()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let tls = RustlsConfig::from_config(Arc::new(certificate.tls_config().unwrap()));
    let bounds = Bounds { header_timeout: SHORT, write_timeout: SHORT, ..bounds() };
    tokio::spawn(serve(listener, tls, app, bounds, Arc::default(), Handle::new()));
    (address, certificate)
}

async fn connect(address: SocketAddr, certificate: &Certificate, alpn: &str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().to_vec().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn a_reply_that_is_quiet_for_long_is_not_cut() {
    let (address, certificate) = quiet_server();
    let mut stream = connect(address, &certificate, "http/1.1").await;
    stream.write_all(b"GET /quiet HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.contains("one") && reply.contains("two") && reply.ends_with("0\r\n\r\n"), "{reply}");

    let stream = TokioIo::new(connect(address, &certificate, "h2").await);
    let (mut client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://localhost/quiet").body(Body::empty()).unwrap();
    let reply = client.send_request(request).await.unwrap();
    let body = axum::body::to_bytes(Body::new(reply.into_body()), 100).await.unwrap();
    assert_eq!(body, "onetwo");
}
