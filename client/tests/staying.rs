//! Sessions that stay, with a server in the page that does what a test wants.

#![cfg(all(target_arch = "wasm32", feature = "session"))]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use futures_util::{SinkExt, StreamExt, future::join};
use hola_webrtc_client::{
    Backoff, ChannelOptions, ChannelState, Closed, ConnectOptions, ConnectionState, ErrorKind, Message,
    Phase, Session, SessionState, TraceData, connect,
};
use js_sys::Promise;
use support::{
    in_page_server::{InPageServer, end_last, number, run},
    next, pause, soon,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

async fn session(attempts: Option<u32>) -> Session {
    // None of its connections lasts so long that it counts as one that lasted.
    let backoff = Backoff { attempts, delay: 10, max_delay: 600_000 };
    soon(Session::connect("", ConnectOptions::default(), backoff)).await.unwrap()
}

async fn until(condition: impl Fn() -> bool) {
    soon(async {
        while !condition() {
            pause(5).await;
        }
    })
    .await;
}

/// Ends the session's connection, and waits for the next.
async fn reconnects(session: &Session) {
    let before = session.connection();
    end_last();
    until(|| session.state() == SessionState::Connected && session.connection() != before).await;
}

#[wasm_bindgen_test]
async fn a_server_that_lets_in_and_sends_away_is_asked_so_often_and_not_for_ever() {
    let _server = InPageServer::new("channel.send('hello'); setTimeout(() => peer.close(), 50);");
    let session = session(Some(3)).await;
    assert_eq!(soon(session.closed()).await, Closed::Remote);
    let attempts = session.trace().events().into_iter().filter_map(|event| match event.data {
        TraceData::Attempt { number, .. } => Some(number),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(number("server.peers.length"), 4);
}

#[wasm_bindgen_test]
async fn channels_of_the_other_side_come_from_one_connection_after_the_other() {
    let _server = InPageServer::new("");
    let session = session(None).await;
    let mut incoming = session.incoming_channels();
    for round in 0..3 {
        let mut channel = soon(incoming.next()).await.unwrap();
        assert_eq!(channel.label(), "of the server");
        until(|| run("server.opened.at(-1).readyState") == "open").await;
        run(&format!("server.opened.at(-1).send('{round}')"));
        assert_eq!(next(&mut channel).await, Message::from(round.to_string()));
        reconnects(&session).await;
        assert_eq!(soon(channel.next()).await, None);
    }
    soon(incoming.next()).await.unwrap();
    drop(session);
    assert!(soon(incoming.next()).await.is_none());
}

#[wasm_bindgen_test]
async fn what_came_before_the_connection_was_lost_is_read_after_it_and_first() {
    let _server = InPageServer::new("for (const text of ['one', 'two', 'three']) channel.send(text)");
    let session = session(None).await;
    let mut channel = session.channel();
    let arrived = session.connection().unwrap();
    // Nobody reads it meanwhile.
    soon(async {
        while arrived.stats().await.unwrap().messages_received < 3 {
            pause(5).await;
        }
    })
    .await;
    reconnects(&session).await;
    for text in ["one", "two", "three", "one"] {
        assert_eq!(soon(channel.next()).await, Some(Message::from(text)));
    }
}

#[wasm_bindgen_test]
async fn a_first_channel_that_is_closed_is_closed_on_the_next_connection_too() {
    let _server = InPageServer::new("");
    let session = session(None).await;
    let mut more = session.open_channel("more", &ChannelOptions::default());
    session.channel().close();
    reconnects(&session).await;
    until(|| session.connection().unwrap().channel().state() == ChannelState::Closed).await;
    assert_eq!(session.channel().state(), ChannelState::Closed);
    soon(more.send(Message::from("the session stays"))).await.unwrap();
    assert_eq!(soon(more.next()).await, Some(Message::from("the session stays")));
}

#[wasm_bindgen_test]
async fn a_session_that_has_closed_its_channels_makes_no_other_connection() {
    let _server = InPageServer::new("");
    let session = session(None).await;
    let more = session.open_channel("more", &ChannelOptions::default());
    more.close();
    session.channel().close();
    until(|| more.state() == ChannelState::Closed && session.channel().state() == ChannelState::Closed).await;
    run("server.peers.at(-1).close()");
    assert_eq!(soon(session.closed()).await, Closed::Remote);
    assert_eq!(number("server.peers.length"), 1);
}

#[wasm_bindgen_test]
async fn channels_that_are_dropped_before_they_are_open_are_closed() {
    let _server = InPageServer::new("");
    let session = session(None).await;
    let connection = session.connection().unwrap();
    // What Firefox leaves open depends on the moment.
    for turns in 0..100 {
        let channel = connection.open_channel("dropped", &ChannelOptions::default()).unwrap();
        for _ in 0..turns {
            turn().await;
        }
        drop(channel);
    }
    let closed =
        "server.peers[0].channels.filter(({ label, readyState }) => label + readyState === 'droppedclosed')";
    until(|| number(&format!("{closed}.length")) == 100).await;
    assert_eq!(session.state(), SessionState::Connected);
}

/// Lets the page have another turn, much shorter than a timer would.
async fn turn() {
    let turn = run("new Promise((done) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = done;
        port2.postMessage(undefined);
    })");
    JsFuture::from(turn.unchecked_into::<Promise>()).await.unwrap();
}

/// The browser itself settles nothing of a connection that is closed.
#[wasm_bindgen_test]
async fn a_restart_that_is_under_way_ends_with_its_connection() {
    let _server = InPageServer::new("");
    let session = session(None).await;
    let connection = session.connection().unwrap();
    let (restarted, ()) = soon(join(connection.restart_ice(), async { connection.close() })).await;
    assert_eq!(restarted.unwrap_err().kind, ErrorKind::Lost);
}

#[wasm_bindgen_test]
async fn a_restart_without_a_reply_fails_at_the_deadline_and_leaves_all_as_it_was() {
    let _server = InPageServer::new("");
    let options = ConnectOptions::default().deadline(Duration::from_secs(3));
    let connection = soon(connect("", options)).await.unwrap();
    run("server.isMute = true");
    let error = soon(connection.restart_ice()).await.unwrap_err();
    assert_eq!((error.phase, error.kind), (Phase::Signalling, ErrorKind::Timeout));
    until(|| number("server.aborted") == 1).await;
    assert_eq!(connection.state(), ConnectionState::Connected);
    let mut channel = connection.channel();
    soon(channel.send(Message::from("still here"))).await.unwrap();
    assert_eq!(next(&mut channel).await, Message::from("still here"));
}

#[wasm_bindgen_test]
async fn another_kind_of_network_is_a_change_and_another_estimate_of_its_speed_is_none() {
    let fake = "Object.defineProperty(navigator, 'connection', {
        configurable: true, value: Object.assign(new EventTarget(), { type: 'wifi', rtt: 50 }) })";
    let _server = InPageServer::new("");
    run(fake);
    let _session = session(None).await;
    run("navigator.connection.rtt = 100; navigator.connection.dispatchEvent(new Event('change'))");
    pause(100).await;
    assert_eq!(number("server.patches"), 0);
    run("navigator.connection.type = 'cellular'; navigator.connection.dispatchEvent(new Event('change'))");
    until(|| number("server.patches") == 1).await;
    run("delete navigator.connection");
}

#[wasm_bindgen_test]
async fn as_long_as_nothing_comes_one_new_path_is_looked_for() {
    let _server = InPageServer::new("");
    let _silence = Silence::new();
    let session = session(None).await;
    for times in [1, 2] {
        run("silence.tell(true)");
        // Long enough for a restart to fail, and for what follows from that.
        pause(500).await;
        assert_eq!(number("server.patches"), times);
        run("silence.tell(false)");
        pause(100).await;
    }
    assert_eq!(session.state(), SessionState::Connected);
}

/// What the browser tells of the client's connection: `silence.tell(true)` and it is disconnected.
struct Silence;

impl Silence {
    fn new() -> Self {
        run("const { prototype } = RTCPeerConnection;
             const real = Object.getOwnPropertyDescriptor(prototype, 'iceConnectionState');
             globalThis.silence = {
                 end: () => Object.defineProperty(prototype, 'iceConnectionState', real),
                 tell(is) {
                     this.is = is;
                     for (const name of ['iceconnectionstatechange', 'connectionstatechange']) {
                         this.client.dispatchEvent(new Event(name));
                     }
                 },
             };
             Object.defineProperty(prototype, 'iceConnectionState', {
                 ...real,
                 get() {
                     if (server.peers.includes(this)) return real.get.call(this);
                     silence.client = this;
                     return silence.is ? 'disconnected' : real.get.call(this);
                 },
             });");
        Self
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        run("silence.end()");
    }
}
