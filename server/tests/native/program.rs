//! The program itself, with real connections.

use std::time::Instant;

use hola_webrtc_protocol::CHAT_LABEL;
use nix::sys::signal::Signal;

use crate::{
    common::{exchange_over, program::Program, request},
    echo::messages,
    stand::{SLACK, connect_to},
};

#[tokio::test]
async fn over_https_a_channel_opens_and_echoes() {
    let program = Program::start(&[]).await;
    let (offerer, line, _) = connect_to(&program, "any").await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}

#[tokio::test]
async fn its_greeting_interval_is_the_one_it_was_told() {
    let program = Program::start(&["--greeting-interval=20ms"]).await;
    let (offerer, line, answer) = connect_to(&program, CHAT_LABEL).await;
    assert!(line.next_text().await.contains(&answer.session.to_string()));
    let remarks = [line.next_text().await, line.next_text().await];
    assert_ne!(remarks[0], remarks[1]);
    offerer.close().await;
}

#[tokio::test]
async fn told_to_stop_it_closes_every_channel_at_once_and_ends_well() {
    let mut program = Program::start(&[]).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(connect_to(&program, "any").await);
    }
    let begun = Instant::now();
    let told = program.stop(Signal::SIGTERM);
    let heard = async {
        for (_, line, _) in &clients {
            assert_eq!(line.next().await, None);
        }
        begun.elapsed()
    };
    let (code, heard) = tokio::join!(told, heard);
    assert_eq!(code, Some(0));
    assert!(heard < 2 * SLACK, "{heard:?}");
    assert!(begun.elapsed() < 4 * SLACK, "{:?}", begun.elapsed());
    for (offerer, _, _) in &clients {
        offerer.close().await;
    }
}

#[tokio::test]
async fn the_announced_address_is_the_one_it_answers_with() {
    let program = Program::start(&["--announce=127.0.0.1,203.0.113.7"]).await;
    let (offerer, line, answer) = connect_to(&program, "any").await;
    let named: Vec<_> = answer.sdp.lines().filter(|line| line.starts_with("a=candidate:")).collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named[0].contains(" 127.0.0.1 ") && named[1].contains(" 203.0.113.7 "), "{named:?}");
    line.assert_echoes(&messages()).await;
    let delete = request(&format!("DELETE /sessions/{}", answer.session), &[], "");
    assert_eq!(exchange_over(program.connect("http/1.1").await, &delete).await.status, 204);
    assert_eq!(line.next().await, None);
    offerer.close().await;
}
