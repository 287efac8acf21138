//! A server with its signalling, and how an offerer comes to it.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use hola_webrtc_protocol::{SdpType, SessionDescription, SessionId, signal};
use hola_webrtc_server::{Limits, RtcServer, echo};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::sleep,
};

use crate::{
    common::{exchange, exchange_over, program::Program, request, serve},
    offerer::{Line, Offerer},
};

pub(crate) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a test on a busy machine may take longer than the server promises.
pub(crate) const SLACK: Duration = Duration::from_millis(500);

/// A server in this process: the engine, the echo, and the signalling over HTTP.
pub(crate) struct Stand {
    pub(crate) server: RtcServer,
    pub(crate) http: SocketAddr,
}

impl Stand {
    /// An engine on a free port of the loopback, with the program's own settings.
    pub(crate) async fn start() -> Self {
        Self::with("127.0.0.1:0", &[], Duration::from_secs(30)).await
    }

    /// An engine that listens and announces as told.
    pub(crate) async fn with(listen: &str, announce: &[IpAddr], greeting_interval: Duration) -> Self {
        // The tests are one client, in more of a hurry than a server has to bear.
        let mut limits = Limits::default();
        limits.offers_per_second = 0;
        limits.max_sessions_per_address = limits.max_sessions;
        let builder = RtcServer::builder().listen(listen.parse().unwrap()).limits(limits);
        let server = builder.announce(announce.iter().copied()).start().unwrap();
        tokio::spawn(echo::serve(server.clone(), greeting_interval));
        let http = serve(server.router()).await;
        Self { server, http }
    }

    /// Posts the offer.
    pub(crate) async fn post(&self, offer: &str) -> Answer {
        post(self.http, offer, &[]).await
    }

    /// An offerer on the loopback, connected.
    pub(crate) async fn connect(&self, label: &str) -> (Offerer, Line, Answer) {
        connect(self.http, label, &[]).await
    }

    /// The status that ending the session replies with.
    pub(crate) async fn delete(&self, id: SessionId) -> u16 {
        exchange(self.http, &request(&format!("DELETE {}", signal::session_path(id)), &[], "")).await.status
    }

    /// Waits until no session lives, for at most the time.
    pub(crate) async fn emptied_within(&self, time: Duration) {
        let server = &self.server;
        assert!(within(time, || server.session_count() == 0).await, "{server:?} is not empty in {time:?}");
    }
}

/// The server's reply to an offer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) sdp: String,
    pub(crate) session: SessionId,
}

impl Answer {
    /// The answer without any candidate but those of this address.
    pub(crate) fn only(&self, ip: IpAddr) -> String {
        let of_ip = format!(" {ip} ");
        let keep = |line: &&str| !line.starts_with("a=candidate:") || line.contains(&of_ip);
        self.sdp.split_inclusive("\r\n").filter(keep).collect()
    }

    /// The answer with this address as its one candidate.
    pub(crate) fn rewritten(&self, to: SocketAddr) -> String {
        let is_other = |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-c");
        let rest: String = self.sdp.split_inclusive("\r\n").filter(is_other).collect();
        format!("{rest}a=candidate:1 1 udp 2130706431 {} {} typ host\r\n", to.ip(), to.port())
    }
}

/// An offerer on the loopback, connected to the server whose signalling this is, with these headers in its request.
pub(crate) async fn connect(
    http: SocketAddr,
    label: &str,
    headers: &[(&str, &str)],
) -> (Offerer, Line, Answer) {
    let mut offerer = Offerer::new(LOCALHOST).await;
    let line = offerer.channel(label).await;
    let answer = post(http, &offerer.offer().await, headers).await;
    offerer.accept(&answer.sdp).await;
    line.opened().await;
    (offerer, line, answer)
}

/// An offerer on the loopback, connected to the program.
pub(crate) async fn connect_to(program: &Program, label: &str) -> (Offerer, Line, Answer) {
    let mut offerer = Offerer::new(LOCALHOST).await;
    let line = offerer.channel(label).await;
    let stream = program.connect("http/1.1").await;
    let answer = post_over(stream, &offerer.offer().await, &[]).await;
    offerer.accept(&answer.only(LOCALHOST)).await;
    line.opened().await;
    (offerer, line, answer)
}

async fn post(http: SocketAddr, offer: &str, headers: &[(&str, &str)]) -> Answer {
    post_over(TcpStream::connect(http).await.unwrap(), offer, headers).await
}

/// Posts what the page of the original demo posts: `JSON.stringify({sdp, type})` of its local description.
pub(crate) async fn post_over(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    offer: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let body = json!({ "sdp": offer, "type": "offer" }).to_string();
    let headers = [&[("content-type", "application/json")], headers].concat();
    let reply = exchange_over(stream, &request("POST /offer", &headers, body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let answer: SessionDescription = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(answer.kind, SdpType::Answer);
    let session = signal::session_of_location(reply.header("location").unwrap()).unwrap();
    Answer { sdp: answer.sdp, session }
}

/// Whether the condition comes to hold within the time.
pub(crate) async fn within(time: Duration, condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + time;
    while !condition() {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(Duration::from_millis(2)).await;
    }
    true
}
