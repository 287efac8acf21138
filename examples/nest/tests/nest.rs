//! The program as its users meet it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{future::Future, process::Stdio, time::Duration};

use hola_webrtc_offerer::{ConnectError, ConnectOptions, Offerer, Settings};
use hyper::Request;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("it happens in time")
}

/// The program on a free port, and its URL. It ends when it is dropped.
async fn start() -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nest"));
    let mut program = command.arg("127.0.0.1:0").stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = soon(lines.next_line()).await.unwrap().expect("it prints its URL");
    (program, url)
}

#[tokio::test]
async fn what_is_said_comes_back_with_the_name_of_who_connected() {
    let (_program, url) = start().await;
    let offerer = Offerer::new(Settings::default()).unwrap();
    let options = |name: &str| ConnectOptions {
        headers: vec![("x-name".to_owned(), name.to_owned())],
        ..ConnectOptions::default()
    };
    let url = format!("{url}/rtc");
    let (_ana, of_ana) = soon(offerer.connect(&url, &options("Ana"))).await.unwrap();
    let (_luis, of_luis) = soon(offerer.connect(&url, &options("Luis"))).await.unwrap();
    of_ana.send("hola").await.unwrap();
    of_luis.send("hello").await.unwrap();
    assert_eq!(soon(of_ana.receive()).await, Some("Ana: hola".into()));
    assert_eq!(soon(of_luis.receive()).await, Some("Luis: hello".into()));
}

#[tokio::test]
async fn nobody_gets_in_without_a_name() {
    let (_program, url) = start().await;
    let nameless = soon(hola_webrtc_offerer::connect(&format!("{url}/rtc"))).await;
    let Err(ConnectError::Refused { status: 403, problem: Some(problem) }) = nameless else {
        panic!("{nameless:?}");
    };
    assert!(problem.detail.contains("x-name"), "{problem}");
}

#[tokio::test]
async fn its_own_route_is_there_beside() {
    let (_program, url) = start().await;
    let offerer = Offerer::new(Settings::default()).unwrap();
    let request = Request::get(format!("{url}/")).body(bytes::Bytes::new()).unwrap();
    let reply = soon(offerer.http().send(request)).await.unwrap();
    assert_eq!((reply.status().as_u16(), &reply.body()[..]), (200, &b"Offers go to /rtc/offer"[..]));
}
