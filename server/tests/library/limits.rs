//! Limits at their ends.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hola_webrtc_server::{Limits, Message};

use crate::{Stand, common::limited, soon};

/// A message goes there and back, and the session ends.
async fn talk(set: impl FnOnce(&mut Limits)) {
    let stand = Stand::of(limited(set)).await;
    let (connection, line, session, mut channel) = soon(stand.connect()).await;
    for length in [0, 1, 60_000] {
        line.send("x".repeat(length)).await.unwrap();
        let Some(Message::Text(text)) = soon(channel.next()).await else { panic!("{length}") };
        assert_eq!(text.len(), length);
        soon(channel.send(Message::Text(text))).await.unwrap();
        assert_eq!(soon(line.receive()).await, Some("x".repeat(length).into()));
    }
    assert!(stand.server.is_alive(Duration::MAX).await);
    connection.close();
    soon(session.closed()).await;
}

#[tokio::test]
async fn the_greatest_numbers_are_no_limit() {
    talk(|limits| {
        limits.max_sessions = usize::MAX;
        limits.max_sessions_per_address = usize::MAX;
        limits.offers_per_second = u32::MAX;
        limits.offer_burst = u32::MAX;
        limits.patches_per_second = u32::MAX;
        limits.patch_burst = u32::MAX;
        limits.max_offer_bytes = usize::MAX;
        limits.max_offer_lines = usize::MAX;
        limits.max_candidates = usize::MAX;
        limits.max_event_streams = usize::MAX;
        limits.max_channels = usize::MAX;
        limits.max_message_size = u32::MAX;
        limits.max_framed_message = u32::MAX;
        limits.session_buffer = usize::MAX;
        limits.total_buffer = usize::MAX;
        limits.max_resumable = usize::MAX;
        limits.max_resumable_per_address = usize::MAX;
        limits.resume_buffer = usize::MAX;
        limits.resume_buffer_per_address = usize::MAX;
    })
    .await;
}

#[tokio::test]
async fn the_longest_times_are_no_limit() {
    talk(|limits| {
        limits.body_timeout = Duration::MAX;
        limits.resume_timeout = Duration::MAX;
        limits.check_timeout = Duration::MAX;
        limits.open_timeout = Duration::MAX;
        limits.silence_timeout = Duration::MAX;
        limits.idle_timeout = Some(Duration::MAX);
    })
    .await;
}

#[tokio::test]
async fn a_session_that_may_hold_nothing_still_holds_one_message() {
    talk(|limits| limits.session_buffer = 0).await;
}
