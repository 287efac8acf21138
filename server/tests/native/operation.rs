//! The program as its operator stops it, with sessions that do not end by themselves.

use std::time::Duration;

use hola_webrtc_protocol::ProblemCode;
use hola_webrtc_server::Message;
use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use crate::{
    common::{self, SOON, exchange_over, program::Program, request},
    offerer::{Line, Offerer},
    relay::Relay,
    stand::{LOCALHOST, post_over},
};

/// A session whose handler has more to send than the network takes: it neither ends by itself nor says goodbye.
async fn stuck_session(program: &Program) -> (Offerer, Line, Relay) {
    let relay = Relay::between(LOCALHOST, program.address).await;
    let mut offerer = Offerer::new(LOCALHOST).await;
    let line = offerer.channel("any").await;
    let stream = program.connect("http/1.1").await;
    let answer = post_over(stream, &offerer.offer().await, &[]).await;
    offerer.accept(&answer.rewritten(relay.address)).await;
    line.opened().await;
    relay.cut_down();
    for _ in 0..10 {
        line.send(&Message::Text("x".repeat(100))).await;
    }
    // The first is on its way, the second waits in the queue, and with the third the handler waits.
    let arrived = async {
        while messages(program).await < 3 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, arrived).await.expect("the messages arrive");
    (offerer, line, relay)
}

/// How many messages have come to the program's handlers.
async fn messages(program: &Program) -> usize {
    let reply = exchange_over(program.connect("http/1.1").await, &request("GET /metrics", &[], "")).await;
    let start = "hola_webrtc_messages_total{direction=\"in\"} ";
    reply.text().lines().find_map(|line| line.strip_prefix(start)).unwrap().parse().unwrap()
}

async fn status(program: &Program, target: &str) -> u16 {
    exchange_over(program.connect("http/1.1").await, &request(target, &[], "")).await.status
}

async fn drains(program: &Program) {
    let not_ready = async {
        while status(program, "GET /readyz").await != 503 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, not_ready).await.expect("it is not ready any more");
}

#[tokio::test]
async fn while_it_stops_it_says_so_and_takes_nothing_new() {
    let mut program = Program::start(&["--drain-timeout=4s", "--session-buffer=64"]).await;
    let stuck = stuck_session(&program).await;
    let mut kept = program.connect("http/1.1").await;
    kept.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut begun = [0; 12];
    kept.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");

    program.signal(Signal::SIGTERM);
    drains(&program).await;
    assert_eq!(status(&program, "GET /healthz").await, 200, "it lives");
    let refused = exchange_over(program.connect("http/1.1").await, &common::offer(&[])).await;
    refused.assert_refused(ProblemCode::Draining, "an offer");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");

    // A connection that was kept alive gets its reply, with a goodbye.
    kept.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut rest = String::new();
    timeout(SOON, kept.read_to_string(&mut rest)).await.expect("it is closed").unwrap();
    assert!(rest.contains("HTTP/1.1 503") && rest.contains("connection: close"), "{rest}");

    assert_eq!(program.ended().await, Some(0));
    drop(stuck);
}

#[tokio::test]
async fn told_twice_it_stops_at_once() {
    let mut program = Program::start(&["--drain-timeout=1h", "--session-buffer=64"]).await;
    let stuck = stuck_session(&program).await;
    program.signal(Signal::SIGTERM);
    drains(&program).await;
    assert_eq!(program.stop(Signal::SIGTERM).await, Some(0));
    drop(stuck);
}
