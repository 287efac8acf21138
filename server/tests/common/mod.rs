//! Raw HTTP over real sockets.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

pub(crate) mod events;
pub(crate) mod program;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use hola_webrtc_protocol::{Problem, ProblemCode, signal::PROBLEM_JSON};
use hola_webrtc_server::{Limits, RtcServer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Long enough for whatever happens at once.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// An engine on a free port of the loopback.
pub(crate) fn engine() -> RtcServer {
    RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().unwrap()
}

/// An engine on a free port of the loopback, with these limits.
pub(crate) fn limited(set: impl FnOnce(&mut Limits)) -> RtcServer {
    let mut limits = Limits::default();
    set(&mut limits);
    RtcServer::builder().listen(SocketAddr::from(([127, 0, 0, 1], 0))).limits(limits).start().unwrap()
}

/// How often the limit of this flag took effect.
pub(crate) fn reached(server: &RtcServer, limit: &str) -> u64 {
    figure(&server.metrics().encode(), &format!("hola_webrtc_limit_reached_total{{limit=\"{limit}\"}}"))
}

/// A figure, by its name with its labels, in the text of the metrics.
pub(crate) fn figure(metrics: &str, name: &str) -> u64 {
    let figure = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    figure.unwrap_or_else(|| panic!("no {name} in {metrics}")).parse().unwrap()
}

/// Serves the router on a free port, without TLS.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A response, read off the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of the header, if the response has it.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// The values of all headers of this name.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head.lines().skip(1).filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as a problem, which must agree with the status and say what is wrong.
    pub(crate) fn problem(&self) -> Problem {
        assert_eq!(self.header("content-type"), Some(PROBLEM_JSON), "{self:?}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((problem.status, problem.code.status()), (self.status, self.status));
        assert!(!problem.detail.is_empty() && !problem.title.is_empty());
        problem
    }

    /// Asserts that the response is this refusal.
    pub(crate) fn assert_refused(&self, code: ProblemCode, what: &str) {
        assert_eq!(self.status, code.status(), "{what}: {self:?}");
        assert_eq!(self.problem().code, code, "{what}");
        // As the table in docs/profile.md says.
        let told = match self.status {
            401 => &["www-authenticate"][..],
            405 => &["allow"],
            429 | 503 => &["retry-after"],
            _ => &[],
        };
        for name in told {
            assert!(self.header(name).is_some(), "{what}: no {name} in {self:?}");
        }
    }
}

/// The offer of a data channel, as a request.
pub(crate) fn offer(headers: &[(&str, &str)]) -> Vec<u8> {
    request("POST /offer", &[&[("content-type", "application/sdp")], headers].concat(), OFFER)
}

/// A request with the header `Connection: close` and, where there is a body, its length.
pub(crate) fn request(method_and_path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len().to_string();
    let length = (!body.is_empty()).then_some(("content-length", length.as_str()));
    let common = [("host", "localhost"), ("connection", "close")];
    let fields = common.iter().chain(headers).chain(&length);
    let fields: Vec<String> = fields.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{method_and_path} HTTP/1.1\r\n{}", fields.concat());
    [head.as_bytes(), b"\r\n", body].concat()
}

/// Sends the bytes and reads until the server closes.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    exchange_over(TcpStream::connect(address).await.unwrap(), bytes).await
}

/// Sends the bytes over this stream and reads until the server closes.
pub(crate) async fn exchange_over(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Reply {
    // A server that has refused already may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut received = Vec::new();
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut received)).await.expect("the server closes");
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    let body = received.split_off(end);
    let head = String::from_utf8(received).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head, body }
}

/// An offer of one data channel, as Chromium writes it.
pub(crate) const OFFER: &str = "v=0\r\no=- 4215775240449105457 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:sXP5\r\n\
    a=ice-pwd:7m8BnJuxq5jPxQFzYSVoJfCk\r\na=ice-options:trickle\r\na=fingerprint:sha-256 \
    3A:1B:5C:77:90:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";
