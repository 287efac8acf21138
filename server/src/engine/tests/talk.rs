//! Messages in both directions.

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture};

use super::*;
use crate::{
    channel::{Channel, Message},
    session::{ChannelOptions, OpenError},
};

/// Sends back what can be sent back now.
fn echo(channel: &mut Channel) {
    while let Some(Some(message)) = channel.next().now_or_never() {
        channel.feed(message).now_or_never().unwrap().unwrap();
    }
}

fn channel_of(session: &mut Session) -> Channel {
    session.accept_channel().now_or_never().unwrap().unwrap()
}

#[test]
fn messages_of_every_size_and_kind_come_back_unchanged_and_in_order() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);

    let mut messages = Vec::new();
    for size in [0, 1, 1200, 16_384, 65_536] {
        messages.push(Message::Text("ñ".repeat(size / 2)));
        messages.push(Message::Binary((0..=255).cycle().take(size).collect()));
    }
    let now = world.now;
    for message in &messages {
        world.offerer(address).send(now, message.clone());
    }
    let all_back = world.run_until(10 * SECOND, |world| {
        echo(&mut channel);
        world.offerer(address).received.len() == messages.len()
    });
    assert!(all_back);
    assert_eq!(world.offerer(address).received, messages);
}

#[test]
fn a_handler_that_does_not_read_stops_the_peer_and_loses_nothing() {
    const MESSAGES: u32 = 2000;
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    let now = world.now;
    for number in 0..MESSAGES {
        let mut message = vec![0; 4096];
        message[..4].copy_from_slice(&number.to_be_bytes());
        world.offerer(address).send(now, Message::Binary(message.into()));
    }
    world.run(5 * SECOND);
    let stalled_at = world.from_server.len();
    world.run(SECOND);
    assert!(world.from_server.len() - stalled_at < 20, "the transfer goes on while nobody reads");

    let mut received = Vec::new();
    let all_there = world.run_until(60 * SECOND, |_| {
        while let Some(Some(Message::Binary(message))) = channel.next().now_or_never() {
            received.push(u32::from_be_bytes(message[..4].try_into().unwrap()));
        }
        received.len() == MESSAGES as usize
    });
    assert!(all_there, "{} of {MESSAGES}", received.len());
    assert!(received.into_iter().eq(0..MESSAGES));
}

#[test]
fn a_peer_that_was_stopped_is_told_at_once_that_its_messages_are_read_again() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    let now = world.now;
    for _ in 0..2000 {
        world.offerer(address).send(now, Message::Binary(Bytes::from_static(&[0; 4096])));
    }
    // Not so long that the peer tries by itself whether there is room again.
    world.run(500 * MS);
    let mut received = 0;
    for _ in 0..400 {
        world.run(MS);
        while let Some(Some(_)) = channel.next().now_or_never() {
            received += 1;
        }
    }
    assert_eq!(received, 2000);
}

#[test]
fn a_peer_that_does_not_read_makes_the_sink_wait() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    world.offerer(address).is_deaf = true;
    let mut sent = 0;
    world.run_until(20 * SECOND, |_| {
        while channel.feed(Message::Binary(Bytes::from_static(&[0; 8192]))).now_or_never().is_some() {
            sent += 8192;
        }
        false
    });
    // What both sides buffer: this side's queue and window, the offerer's window and read backlog.
    assert!(sent < 8 * 1024 * 1024, "{sent} bytes were taken for a peer that reads nothing");

    world.offerer(address).is_deaf = false;
    assert!(world.run_until(60 * SECOND, |world| world.offerer(address).received.len() * 8192 == sent));
}

#[test]
fn what_was_sent_before_a_channel_is_dropped_still_arrives() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    for number in 0..50 {
        channel.feed(Message::Text(number.to_string())).now_or_never().unwrap().unwrap();
    }
    drop(channel);
    world.run(3 * SECOND);
    let expected: Vec<_> = (0..50).map(|number| Message::Text(number.to_string())).collect();
    assert_eq!(world.offerer(address).received, expected);
    assert!(!world.offerer(address).is_open());
}

#[test]
fn further_channels_are_accepted_up_to_the_limit() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "first");
    for number in 0..70 {
        world.offerer(address).open(&format!("more {number}"));
    }
    world.run(3 * SECOND);
    let mut labels = Vec::new();
    let mut channels = Vec::new();
    while let Some(Some(channel)) = session.accept_channel().now_or_never() {
        labels.push(channel.label().to_owned());
        channels.push(channel);
    }
    assert_eq!(labels[0], "first");
    assert_eq!(labels.len(), 64);
}

#[test]
fn what_the_peer_sent_before_it_closed_the_channel_is_all_delivered() {
    // To a handler that is far behind; and in one batch with the closing.
    for (messages, before_the_close) in [(150_u32, SECOND), (1, Duration::ZERO)] {
        let mut world = World::new(MS);
        let (address, mut session) = world.connect(0, "x");
        let mut channel = channel_of(&mut session);
        let now = world.now;
        for number in 0..messages {
            let mut message = vec![0; 4096];
            message[..4].copy_from_slice(&number.to_be_bytes());
            world.offerer(address).send(now, Message::Binary(message.into()));
        }
        world.run(before_the_close);
        world.offerer(address).close_channel();
        let mut received = Vec::new();
        let ended = world.run_until(20 * SECOND, |world| {
            world.now += 5 * MS;
            match channel.next().now_or_never() {
                Some(Some(Message::Binary(message))) => {
                    received.push(u32::from_be_bytes(message[..4].try_into().unwrap()));
                    false
                }
                Some(None) => true,
                _ => false,
            }
        });
        assert!(ended, "{} of {messages}", received.len());
        assert!(received.into_iter().eq(0..messages));
    }
}

#[test]
fn a_peer_that_reads_no_channel_costs_no_more_with_many_than_with_one() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    for number in 0..31 {
        world.offerer(address).open(&number.to_string());
    }
    world.run(SECOND);
    let mut channels: Vec<_> =
        std::iter::from_fn(|| session.accept_channel().now_or_never().flatten()).collect();
    assert_eq!(channels.len(), 32);
    // Nothing arrives at the peer any more, nor does an acknowledgement come back.
    world.offerers.remove(&address);
    let mut sent = 0;
    for _ in 0..100 {
        for channel in &mut channels {
            while channel.feed(Message::Binary(Bytes::from_static(&[0; 8192]))).now_or_never().is_some() {
                sent += 8192;
            }
        }
        world.now += MS;
        world.flush();
    }
    // The session's share of SCTP, and each channel's own queue.
    assert!(sent <= 1024 * 1024 + 32 * (128 * 1024 + 2 * 8192), "{sent}");
}

/// Wishes for a channel whose confirmation gets lost.
fn unconfirmed<'a>(world: &mut World, session: &'a Session) -> BoxFuture<'a, Result<Channel, OpenError>> {
    let mut opening = session.open_channel("news", ChannelOptions::default()).boxed();
    assert!(opening.as_mut().now_or_never().is_none());
    world.run_until(500 * MS, |world| {
        world.in_flight.retain(|_, datagram| matches!(datagram, InFlight::ToOfferer(..)));
        false
    });
    opening
}

#[test]
fn a_channel_that_the_peer_closes_instead_of_confirming_it_is_refused() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    // The stream that the server, as DTLS client, opens its first channel on (RFC 8832, 6).
    let stream = world.offerer(address).occupy(0);
    let mut opening = unconfirmed(&mut world, &session);
    world.offerer(address).close_stream(stream);
    let mut opened = None;
    world.run_until(5 * SECOND, |_| {
        opened = opened.take().or_else(|| opening.as_mut().now_or_never());
        opened.is_some()
    });
    assert_eq!(opened.unwrap().unwrap_err(), OpenError::Refused);
    assert_eq!(session.closed().now_or_never(), None);
}

#[test]
fn a_session_that_ends_while_a_channel_opens_says_so() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let mut opening = unconfirmed(&mut world, &session);
    world.offerer(address).close();
    world.run(SECOND);
    assert_eq!(opening.as_mut().now_or_never().unwrap().unwrap_err(), OpenError::Closed);
}
