//! A server, its signalling, and those who talk on it.

use std::{fs, future::Future, net::SocketAddr, time::Duration};

use hola_webrtc_offerer::{
    Channel, ChannelOptions, ConnectOptions, Connection, Message, Offerer, Settings, read_reply,
};
use hola_webrtc_server::{Limits, RtcServer, echo};
use hyper::{Request, Response, body::Bytes};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{sleep, timeout},
};

use crate::{
    common::{SOON, serve},
    relay::Relay,
};

/// Held by each test: they look at what the whole process needs, and two at once would be slower than two in turn.
static ALONE: Mutex<()> = Mutex::const_new(());

pub(crate) struct Site {
    pub(crate) server: RtcServer,
    pub(crate) http: SocketAddr,
    pub(crate) offerer: Offerer,
    _alone: MutexGuard<'static, ()>,
}

/// A connection with a channel that echoes.
pub(crate) struct Talk {
    pub(crate) connection: Connection,
    pub(crate) channel: Channel,
    said: u32,
}

impl Site {
    /// A server that echoes, and takes any number of offers from this one client.
    pub(crate) async fn start(set: impl FnOnce(&mut Limits)) -> Self {
        let site = Self::without_handler(set).await;
        tokio::spawn(echo::serve(site.server.clone(), Duration::ZERO));
        site
    }

    /// One whose sessions nobody accepts yet.
    pub(crate) async fn without_handler(set: impl FnOnce(&mut Limits)) -> Self {
        let alone = ALONE.lock().await;
        let mut limits = Limits::default();
        (limits.offers_per_second, limits.max_sessions_per_address) = (0, usize::MAX);
        set(&mut limits);
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = RtcServer::builder().listen(listen).limits(limits).start().unwrap();
        let http = serve(server.router()).await;
        let offerer = Offerer::new(Settings::default()).unwrap();
        Self { server, http, offerer, _alone: alone }
    }

    /// Connects, with one channel of this label.
    pub(crate) async fn connect(&self, label: &str) -> Talk {
        let options = options(label);
        let url = format!("http://{}", self.http);
        let (connection, channel) = soon(self.offerer.connect(&url, &options)).await.unwrap();
        Talk { connection, channel, said: 0 }
    }

    /// Connects through a relay, which hears everything.
    pub(crate) async fn connect_overheard(&self) -> (Talk, Relay) {
        let relay = Relay::start(self.server.local_addr()).await;
        let pending = self.offerer.offer(self.http.ip(), &options("echo")).unwrap();
        let response = self.post(&pending.sdp()).await;
        let mut reply = read_reply(&"http://localhost/".parse().unwrap(), response).unwrap();
        reply.answer = relay.stand_in_for_the_server(&reply.answer);
        let (connection, channel) = soon(pending.accept(reply)).await.unwrap();
        (Talk { connection, channel, said: 0 }, relay)
    }

    /// Posts an offer on a connection that is kept.
    pub(crate) async fn post(&self, offer: &str) -> Response<Bytes> {
        let request = Request::post(format!("http://{}/offer", self.http))
            .header("content-type", "application/sdp")
            .body(Bytes::copy_from_slice(offer.as_bytes()));
        soon(self.offerer.http().send(request.unwrap())).await.unwrap()
    }

    /// A figure of the server's, by its name and labels as in `/metrics`.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let metrics = self.server.metrics().encode();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |figure| figure.parse().unwrap())
    }

    /// Datagrams that came, those included that were dropped.
    pub(crate) fn datagrams_in(&self) -> u64 {
        self.figure("hola_webrtc_datagrams_total{direction=\"in\"}")
    }

    /// Datagrams that the server sent.
    pub(crate) fn datagrams_out(&self) -> u64 {
        self.figure("hola_webrtc_datagrams_total{direction=\"out\"}")
    }
}

impl Talk {
    /// Says some things, each of which comes back, in order.
    pub(crate) async fn go_on(&mut self, messages: u32) {
        let first = self.said;
        self.said += messages;
        for number in first..self.said {
            soon(self.channel.send(said(number))).await.unwrap();
        }
        for number in first..self.said {
            assert_eq!(soon(self.channel.receive()).await, Some(said(number)));
        }
    }
}

/// Some are long enough to be cut into several datagrams.
fn said(number: u32) -> Message {
    let length = if number.is_multiple_of(20) { 5000 } else { 20 };
    Message::from(format!("{number:0length$}"))
}

fn options(label: &str) -> ConnectOptions {
    ConnectOptions { channel: ChannelOptions::labelled(label), ..ConnectOptions::default() }
}

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("it happens in time")
}

/// Waits until the condition holds, or for so long.
pub(crate) async fn within(time: Duration, condition: impl Fn() -> bool) -> bool {
    let wait = async {
        while !condition() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(time, wait).await.is_ok()
}

/// How much of this process is in memory, in MB; 0 where the system does not say.
pub(crate) fn resident_mb() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) / 1024
}
