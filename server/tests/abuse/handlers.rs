//! Handlers that go wrong, each to its own session's cost alone.

use std::{
    sync::{Arc, mpsc},
    task::{Context, Wake, Waker},
    thread,
};

use futures_util::{SinkExt, StreamExt};
use hola_webrtc_offerer::Closed;
use hola_webrtc_protocol::{Side, TraceData};
use hola_webrtc_server::{Channel, Message, RtcServer, Session};
use tokio::sync::Notify;

use crate::{
    common::{SOON, events::EventSource},
    site::{Site, soon, within},
};

/// Serves each session by the label of its channel; what is let go ends those that never end by themselves.
async fn serve(server: RtcServer, let_go: Arc<Notify>) {
    while let Some(session) = server.accept().await {
        let let_go = let_go.clone();
        session.spawner().spawn(async move {
            let mut channel = session.accept_channel().await.unwrap();
            match channel.label() {
                "panic" => panic!("at {:?}, as a handler may", channel.next().await),
                "deaf" | "endless" => let_go.notified().await,
                "blocked" => blocked(session, channel),
                "bomb" => {
                    let waker = Waker::from(Arc::new(Bomb));
                    assert!(channel.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
                    channel.send(Message::Text("wait and see".to_owned())).await.unwrap();
                    let_go.notified().await;
                }
                _ => echo(channel).await,
            }
        });
    }
}

async fn echo(mut channel: Channel) {
    while let Some(message) = channel.next().await {
        if channel.send(message).await.is_err() {
            break;
        }
    }
}

/// A handler that works on a thread of its own, which never gets done.
fn blocked(session: Session, channel: Channel) {
    thread::spawn(move || {
        let (_sender, never) = mpsc::channel::<()>();
        let _ = never.recv();
        drop((session, channel));
    });
}

/// Panics where it is told that something has come: in the engine, while that hands over what a client sent.
struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("in the engine, as the test wants it");
    }
}

async fn site() -> (Site, Arc<Notify>) {
    let site = Site::without_handler(|_| {}).await;
    let let_go = Arc::new(Notify::new());
    tokio::spawn(serve(site.server.clone(), let_go.clone()));
    (site, let_go)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_panics_ends_its_session_alone() {
    let (site, _) = site().await;
    let mut talk = site.connect("echo").await;
    for _ in 0..20 {
        let unlucky = site.connect("panic").await;
        soon(unlucky.channel.send("now")).await.unwrap();
        assert_eq!(soon(unlucky.connection.closed()).await, Closed::Remote);
        talk.go_on(5).await;
    }
    assert!(within(SOON, || site.server.session_count() == 1).await);
    site.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_panics_over_a_session_ends_it_alone_and_counts() {
    const TIMES: u64 = 10;
    let (site, _) = site().await;
    let mut talk = site.connect("echo").await;
    for times in 1..=TIMES {
        let unlucky = site.connect("bomb").await;
        let path = unlucky.connection.reply().session.as_ref().unwrap().path().to_owned();
        let mut events = EventSource::open(site.http, &path, &[]).await;
        assert_eq!(soon(unlucky.channel.receive()).await, Some("wait and see".into()));
        soon(unlucky.channel.send("now")).await.unwrap();
        soon(events.read_to_end()).await;
        let (_, last) = events.events().pop().unwrap();
        let reason = Some("failed".to_owned());
        assert_eq!(last.event.data, TraceData::Closed { by: Side::Server, reason });
        assert_eq!(site.figure("hola_webrtc_sessions_ended_total{reason=\"failed\"}"), times);
        talk.go_on(5).await;
    }
    assert!(within(SOON, || site.server.session_count() == 1).await);
    site.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_that_never_read_or_end_or_leave_their_thread_delay_nobody() {
    let (site, let_go) = site().await;
    let mut talks = Vec::new();
    for _ in 0..4 {
        talks.push(site.connect("echo").await);
    }
    let mut stuck = Vec::new();
    for label in ["deaf", "deaf", "endless", "blocked"] {
        let talk = site.connect(label).await;
        // As much as the way there holds.
        while talk.channel.try_send(&vec![7; 16_384].into()).unwrap() {}
        stuck.push(talk);
    }
    for talk in &mut talks {
        talk.go_on(200).await;
    }
    assert!(stuck.iter().all(|talk| talk.channel.is_open()));
    drop(stuck);
    assert!(within(SOON, || site.server.session_count() == talks.len()).await, "whose peers have gone");
    let_go.notify_waiters();
    for talk in &mut talks {
        talk.go_on(20).await;
    }
    site.server.shutdown().await;
}
