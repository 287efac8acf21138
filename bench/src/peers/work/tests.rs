//! The driver against our own server, in this process, with the native offerer.

use std::{net::Ipv4Addr, thread};

use hola_webrtc_server::{RtcServer, echo};
use tokio::{net::TcpListener, runtime, sync::oneshot};

use super::*;
use crate::{
    peers::offerers::{Kind, Native},
    proc::Process,
};

const TINY: Scale = Scale {
    connections: (2, 2),
    span: Duration::from_millis(200),
    warm_up: Duration::from_millis(20),
    rate: 10,
    crowd: Duration::from_secs(30),
    idle: 3,
    waves: 2,
    settle: Duration::from_millis(10),
    growth: Duration::from_millis(200),
    unread: Duration::from_millis(200),
    turns: 3,
};

/// A server on a thread of its own, as it runs in a process of its own elsewhere. It lives as long as the test program.
async fn target() -> Target {
    let (ready, address) = oneshot::channel();
    thread::spawn(move || {
        let serve = async {
            let server = RtcServer::builder().listen((Ipv4Addr::LOCALHOST, 0).into()).start().unwrap();
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            let routes = server.router().into_make_service_with_connect_info::<std::net::SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, routes).await });
            echo::serve(server, Duration::ZERO).await;
        };
        runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(serve);
    });
    Target { url: format!("http://{}", address.await.unwrap()), process: Process::this(), counter: None }
}

async fn measured(measure: Measure, number: u32) -> Figures {
    // So many connections come up, however long that takes.
    let span = if measure == Measure::Rate { Duration::from_secs(30) } else { TINY.span };
    let cell = Cell { measure, number, offerer: Kind::Native, once: false };
    let mut offerer = Offerer::Native(Box::new(Native::new().unwrap()));
    super::measure(cell, &target().await, &mut offerer, &Scale { span, ..TINY }).await.unwrap()
}

#[tokio::test]
async fn connections_are_timed() {
    let figures = measured(Measure::Connect, 0).await;
    assert!(figures["click-p50"] > 0.0 && figures["cpu-per-connection"] > 0.0, "{figures:?}");
}

#[tokio::test]
async fn round_trips_are_timed_and_their_cost_is_read() {
    let figures = measured(Measure::RoundTrip, 0).await;
    assert!(figures["p50"] <= figures["p999"] && figures["cpu-per-message"] > 0.0, "{figures:?}");
}

#[tokio::test]
async fn an_echo_comes_back_whole() {
    let figures = measured(Measure::Echo, 16).await;
    assert!(figures["megabytes-per-second"] > 0.0, "{figures:?}");
}

#[tokio::test]
async fn a_far_connection_takes_whole_round_trips() {
    let figures = measured(Measure::Delayed, 20).await;
    // Of HTTP, ICE, DTLS and SCTP.
    assert!(figures["round-trips"] >= 4.0, "{figures:?}");
    let gathered = measured(Measure::GatheredDelayed, 20).await;
    assert!(gathered["round-trips"] >= 4.0, "{gathered:?}");
}

#[tokio::test]
async fn messages_come_through_a_network_that_loses_some() {
    let figures = measured(Measure::Loss, 1).await;
    assert!(figures["megabytes-per-second"] > 0.0, "{figures:?}");
}

#[tokio::test]
async fn crowds_connect_talk_and_idle() {
    assert!(measured(Measure::Rate, 0).await["connections-per-second"] > 0.0);
    assert!(measured(Measure::Active, 3).await["messages-per-second"] > 0.0);
    let idle = measured(Measure::Idle, 0).await;
    assert!(idle.contains_key("memory-per-connection") && idle.contains_key("memory-per-closed-last"));
    assert!((0.0..2000.0).contains(&idle["gone"]), "{idle:?}");
}

#[tokio::test]
async fn memory_is_watched_while_much_is_echoed_also_to_who_reads_late() {
    for measure in [Measure::Growth, Measure::Unread] {
        let figures = measured(measure, 4).await;
        assert!(figures["echoed"] > 0.0 && figures.contains_key("grown-peak"), "{measure}: {figures:?}");
    }
}
