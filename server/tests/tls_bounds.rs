//! The bounds of HTTPS, met by clients that mean no good, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use common::{
    OFFER, SOON, exchange_over,
    program::{Program, shake_hands},
    request,
};
use h2::{Ping, client::SendRequest};
use hyper::{Request, Response};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

const ATTACKER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 3));
const HONEST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

async fn connect_from(client: IpAddr, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(client, 0)).unwrap();
    socket.connect(server).await.unwrap()
}

/// The status of `GET path` from this client, and the reply's body.
async fn get_from(client: IpAddr, program: &Program, path: &str) -> (u16, String) {
    let stream = connect_from(client, program.address).await;
    let stream = shake_hands(stream, &program.state.path().join("certificate.pem"), "http/1.1").await;
    let reply = exchange_over(stream, &request(&format!("GET {path}"), &[], "")).await;
    (reply.status, reply.text().to_owned())
}

/// Waits until the metrics hold this line.
async fn wait_for(program: &Program, line: &str) {
    let seen = async {
        while !get_from(HONEST, program, "/metrics").await.1.lines().any(|other| other == line) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let seen = timeout(SOON, seen).await;
    assert!(seen.is_ok(), "{line} is not in\n{}", get_from(HONEST, program, "/metrics").await.1);
}

fn reached(limit: &str, times: usize) -> String {
    format!("hola_webrtc_limit_reached_total{{limit=\"{limit}\"}} {times}")
}

/// Sends the bytes one by one until the server has enough of it.
async fn drip(mut stream: impl AsyncWrite + Unpin, bytes: &[u8]) {
    for byte in bytes.iter().cycle() {
        if stream.write_all(&[*byte]).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn whoever_drips_is_let_go_while_others_are_served() {
    let program = Program::start(&["--header-timeout=1s", "--body-timeout=1s"]).await;
    // The head of a TLS record that announces a ClientHello of 16 KiB.
    let hello = [&[0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0x00, 0x3f, 0xfc][..], &[0; 16_000]].concat();
    let tls = connect_from(ATTACKER, program.address).await;
    let mut head = program.connect("http/1.1").await;
    head.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let dripping =
        [tokio::spawn(async move { drip(tls, &hello).await }), tokio::spawn(drip(head, b"x-long: long\r\n"))];
    let mut body = program.connect("http/1.1").await;
    let begun = format!(
        "POST /offer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/sdp\r\ncontent-length: {}\r\n\r\n",
        OFFER.len()
    );
    body.write_all(begun.as_bytes()).await.unwrap();
    let mut reply = [0; 12];
    let (mut reading, writing) = tokio::io::split(body);
    tokio::spawn(drip(writing, OFFER.as_bytes()));

    assert_eq!(get_from(HONEST, &program, "/healthz").await.0, 200);
    timeout(SOON, reading.read_exact(&mut reply)).await.expect("it is told in time").unwrap();
    assert_eq!(&reply, b"HTTP/1.1 408");
    for one in dripping {
        timeout(SOON, one).await.expect("the server closes in time").unwrap();
    }
    // The handshake and the head.
    wait_for(&program, &reached("header-timeout", 2)).await;
}

#[tokio::test]
async fn whoever_does_not_read_is_let_go() {
    let program = Program::start(&["--write-timeout=1s"]).await;
    let mut stream = program.connect("http/1.1").await;
    let asking = tokio::spawn(async move {
        let ask = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(100);
        while stream.write_all(&ask).await.is_ok() {}
    });
    wait_for(&program, &reached("write-timeout", 1)).await;
    timeout(SOON, asking).await.expect("the server closes").unwrap();
    // Only the connection that asks for it is open.
    wait_for(&program, "hola_webrtc_connections 1").await;
}

/// Asks over HTTP/2, and goes on answering pings. The window of the reply is not opened any further.
async fn ask_over_http2(
    program: &Program,
    window: u32,
    request: Request<Bytes>,
) -> (Response<h2::RecvStream>, SendRequest<Bytes>, JoinHandle<()>) {
    let stream = program.connect("h2").await;
    let mut builder = h2::client::Builder::new();
    let (client, connection) =
        builder.initial_window_size(window).handshake::<_, Bytes>(stream).await.unwrap();
    let connection = tokio::spawn(async move { drop(connection.await) });
    let mut client = client.ready().await.unwrap();
    let (head, body) = request.into_parts();
    let (response, mut sending) = client.send_request(Request::from_parts(head, ()), false).unwrap();
    sending.send_data(body, true).unwrap();
    let response = timeout(SOON, response).await.unwrap().unwrap();
    (response, client, connection)
}

#[tokio::test]
async fn a_client_that_shuts_its_window_and_answers_pings_is_let_go() {
    let program = Program::start(&["--write-timeout=1s"]).await;
    // With room for a byte the reply is under way, as far as hyper knows.
    for (times, window) in [(1, 0), (2, 1)] {
        let request = Request::get("https://localhost/metrics").body(Bytes::new()).unwrap();
        let (reply, _client, connection) = ask_over_http2(&program, window, request).await;
        assert_eq!(reply.status(), 200);
        timeout(SOON, connection).await.expect("the server closes").unwrap();
        wait_for(&program, &reached("write-timeout", times)).await;
        wait_for(&program, "hola_webrtc_connections 1").await;
    }
}

#[tokio::test]
async fn a_client_that_waits_for_events_is_not_let_go() {
    const PATIENCE: Duration = Duration::from_secs(1);
    let times = ["--write-timeout=1s", "--header-timeout=1s", "--check-timeout=1h", "--open-timeout=1h"];
    let program = Program::start(&times).await;
    let offer = Request::post("https://localhost/offer").header("content-type", "application/sdp");
    let offer = offer.body(Bytes::from_static(OFFER.as_bytes())).unwrap();
    let (answer, _client, _connection) = ask_over_http2(&program, 65_535, offer).await;
    assert_eq!(answer.status(), 201);
    let session = answer.headers()["location"].to_str().unwrap();
    let events = Request::get(format!("https://localhost{session}/events")).body(Bytes::new()).unwrap();
    let (mut events, mut client, connection) = ask_over_http2(&program, 65_535, events).await;
    assert_eq!(events.status(), 200);
    assert!(events.body_mut().data().await.unwrap().is_ok());
    sleep(3 * PATIENCE).await;
    let request = Request::get("https://localhost/healthz").body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    assert!(!connection.is_finished());
}

/// Pings until the server closes the connection, which it does well.
async fn ping_on(mut pings: h2::PingPong, connection: &mut JoinHandle<Result<(), h2::Error>>) {
    let pinging = async {
        while pings.ping(Ping::opaque()).await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let (ended, ()) = timeout(SOON, async { tokio::join!(connection, pinging) }).await.unwrap();
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_of_http2_that_only_pings_is_let_go_and_one_that_asks_is_not() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let program = Program::start(&["--header-timeout=2s"]).await;
    let asks = || Request::get("https://localhost/healthz").body(()).unwrap();
    for (limit, requests) in [(0, 4), (1, 0)] {
        let mut last = Instant::now();
        let stream = program.connect("h2").await;
        let (client, mut connection) = h2::client::handshake(stream).await.unwrap();
        let pings = connection.ping_pong().unwrap();
        let mut connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        for _ in 0..requests {
            sleep(PATIENCE * 2 / 3).await;
            let (response, _) = client.send_request(asks(), true).unwrap();
            last = Instant::now();
            assert_eq!(timeout(SOON, response).await.unwrap().unwrap().status(), 200);
        }
        ping_on(pings, &mut connection).await;
        assert!(last.elapsed() >= PATIENCE, "{:?}", last.elapsed());
        // That a client goes on without asking is no limit that it has met.
        wait_for(&program, &reached("header-timeout", limit)).await;
    }
}

#[tokio::test]
async fn five_thousand_connections_of_one_client_leave_room_for_another() {
    const FLOOD: usize = 5000;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    if hard < 2 * FLOOD as u64 {
        eprintln!("skipped: no more than {hard} file descriptors may be open");
        return;
    }
    setrlimit(Resource::RLIMIT_NOFILE, hard.max(soft), hard).unwrap();
    // No handshake gives way or ends: each connection keeps its place.
    let mut program = Program::start(&["--max-handshakes=1000", "--header-timeout=1h"]).await;
    let mut flood = Vec::new();
    for _ in 0..FLOOD {
        flood.push(connect_from(ATTACKER, program.address).await);
    }
    assert_eq!(get_from(HONEST, &program, "/healthz").await.0, 200);
    wait_for(&program, &reached("max-connections-per-address", FLOOD - 256)).await;
    drop(flood);
    wait_for(&program, "hola_webrtc_connections 1").await;
    wait_for(&program, "hola_webrtc_handshakes 0").await;
    assert_eq!(get_from(ATTACKER, &program, "/healthz").await.0, 200);
    assert!(program.child.try_wait().unwrap().is_none(), "the program still runs");
}

#[tokio::test]
async fn when_every_place_is_taken_a_new_connection_is_closed_at_once() {
    let program = Program::start(&["--max-connections=4"]).await;
    let _kept =
        [connect_from(ATTACKER, program.address).await, connect_from(ATTACKER, program.address).await];
    let honest = program.connect("http/1.1").await;
    let last = program.connect("http/1.1").await;
    let mut refused = connect_from(HONEST, program.address).await;
    assert_eq!(timeout(SOON, refused.read(&mut [0])).await.expect("it is closed").unwrap_or(0), 0);
    assert_eq!(exchange_over(last, &request("GET /healthz", &[], "")).await.status, 200);
    let figures = exchange_over(honest, &request("GET /metrics", &[], "")).await;
    assert!(figures.text().contains(&reached("max-connections", 1)), "{figures:?}");
}

#[tokio::test]
async fn handshakes_that_stand_still_hold_up_nobody() {
    let program = Program::start(&["--max-handshakes=8"]).await;
    let mut stalled = Vec::new();
    for _ in 0..50 {
        let mut stream = connect_from(ATTACKER, program.address).await;
        stream.write_all(b"\x16\x03\x01\x02\x00\x01").await.unwrap();
        stalled.push(stream);
    }
    assert_eq!(get_from(HONEST, &program, "/healthz").await.0, 200);
    let (_, metrics) = get_from(HONEST, &program, "/metrics").await;
    let gave_way = metrics.lines().find(|line| line.contains("{limit=\"max-handshakes\"}")).unwrap();
    let gave_way: usize = gave_way.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((42..=50).contains(&gave_way), "{gave_way}");
    // The oldest ones are closed, the youngest ones are not.
    let mut oldest = stalled.remove(0);
    assert_eq!(timeout(SOON, oldest.read(&mut [0])).await.expect("it is closed").unwrap_or(0), 0);
}
