//! How a server ends in peace.

use std::time::Duration;

use hola_webrtc_offerer::connect;
use hola_webrtc_server::{AnswerError, OfferContext, echo};

use crate::{
    Stand,
    common::{OFFER, SOON},
    soon, until,
};

#[tokio::test]
async fn what_was_sent_before_the_drain_comes_back_then_the_channel_closes() {
    const MESSAGES: usize = 500;
    let stand = Stand::start().await;
    tokio::spawn(echo::serve(stand.server.clone(), Duration::ZERO));
    let (connection, line) = connect(&stand.url).await.unwrap();
    for number in 0..MESSAGES {
        line.send(format!("{number}")).await.unwrap();
    }
    line.flush().await.unwrap();
    let server = stand.server.clone();
    let draining = tokio::spawn(async move { server.drain(SOON).await });
    let mut echoed = 0;
    while let Some(message) = soon(line.receive()).await {
        assert_eq!(message, format!("{echoed}").into());
        echoed += 1;
    }
    assert_eq!(echoed, MESSAGES);
    assert_eq!(soon(draining).await.unwrap(), 0, "none had to be ended");
    soon(connection.closed()).await;
}

#[tokio::test]
async fn a_draining_server_takes_no_offer_and_ends_the_sessions_that_are_not_open() {
    let stand = Stand::start().await;
    let (_connection, _line, session, channel) = stand.connect().await;
    stand.server.answer(OFFER, OfferContext::default()).unwrap();
    assert!(stand.server.is_ready() && stand.server.is_alive(SOON).await);
    let server = stand.server.clone();
    let draining = tokio::spawn(async move { server.drain(SOON).await });
    soon(session.draining()).await;
    assert!(!stand.server.is_ready());
    assert_eq!(stand.server.answer(OFFER, OfferContext::default()), Err(AnswerError::Draining));
    until(|| stand.server.session_count() == 1).await;
    drop((session, channel));
    assert_eq!(soon(draining).await.unwrap(), 0);
    assert_eq!(stand.server.accept().await.map(|session| session.id()), None);
}

#[tokio::test]
async fn sessions_that_do_not_end_by_themselves_are_ended_when_the_time_is_over() {
    let stand = Stand::start().await;
    let (connection, _line, session, _channel) = stand.connect().await;
    assert_eq!(soon(stand.server.drain(Duration::from_millis(100))).await, 1);
    soon(connection.closed()).await;
    assert_eq!(soon(session.closed()).await, hola_webrtc_server::Closed::Stopping);
    assert!(!stand.server.is_alive(SOON).await);
}
