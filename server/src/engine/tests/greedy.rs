//! Peers that have connected, and then want too much.

use futures_util::{FutureExt, SinkExt, StreamExt};

use super::*;
use crate::{
    channel::{Channel, Message},
    session::Closed,
};

pub(super) fn channel_of(session: &mut Session) -> Channel {
    session.accept_channel().now_or_never().unwrap().unwrap()
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned())
}

/// Asserts that a message of this session's peer is heard.
pub(super) fn assert_lives(world: &mut World, address: SocketAddr, channel: &mut Channel) {
    let now = world.now;
    world.offerer(address).send(now, text("here"));
    let mut heard = None;
    world.run_until(10 * SECOND, |_| {
        heard = heard.take().or_else(|| channel.next().now_or_never());
        heard.is_some()
    });
    assert_eq!(heard, Some(Some(text("here"))));
}

#[test]
fn ten_thousand_channels_at_once_cost_their_session_and_nobody_else() {
    let mut world = World::new(MS);
    let (other, mut others) = world.connect(1, "x");
    let mut other_channel = channel_of(&mut others);
    let (address, session) = world.connect(0, "x");
    for number in 0..10_000 {
        world.offerer(address).open(&number.to_string());
        if number % 100 == 0 && world.run_until(5 * MS, |_| session.closed().now_or_never().is_some()) {
            break;
        }
    }
    assert!(world.run_until(60 * SECOND, |_| session.closed().now_or_never().is_some()));
    assert_eq!(session.closed().now_or_never(), Some(Closed::TooManyChannels));
    assert_lives(&mut world, other, &mut other_channel);
}

#[test]
fn the_longest_label_is_taken_and_too_many_of_them_end_the_session() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    // The message that opens the channel has the maximum size.
    let longest = "l".repeat(65_536 - 12);
    world.offerer(address).open(&longest);
    let mut labels = Vec::new();
    world.run_until(5 * SECOND, |_| {
        labels.extend(session.accept_channel().now_or_never().flatten().map(|channel| channel.label().len()));
        labels.len() == 2
    });
    assert_eq!(labels, [1, 65_524]);
    for _ in 0..4 {
        world.offerer(address).open(&longest);
        world.run(SECOND);
    }
    assert_eq!(session.closed().now_or_never(), Some(Closed::TooManyChannels));
    let metrics = world.registry.metrics().encode();
    assert!(metrics.contains("hola_webrtc_limit_reached_total{limit=\"max-channels\"} 1\n"), "{metrics}");
    assert_eq!(world.residue(), 0);
}

#[test]
fn text_that_is_none_closes_its_channel_alone() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "first");
    let mut first = channel_of(&mut session);
    world.offerer(address).open("second");
    let mut second = None;
    world.run_until(SECOND, |_| {
        second = second.take().or_else(|| session.accept_channel().now_or_never().flatten());
        second.is_some()
    });
    let now = world.now;
    world.offerer(address).send_invalid_text(now);
    let mut ended = None;
    world.run_until(5 * SECOND, |_| {
        ended = ended.take().or_else(|| first.next().now_or_never());
        ended.is_some()
    });
    assert_eq!(ended, Some(None), "the channel ends, and hands nothing over");
    world.run(2 * SECOND);
    assert_eq!(session.closed().now_or_never(), None);
    drop(second);
}

#[test]
fn many_honest_messages_are_not_taken_for_one_without_an_end() {
    // Up alone, down alone, and both: many times what may be undelivered.
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    for turn in 0..400 {
        let now = world.now;
        if turn % 3 != 1 {
            world.offerer(address).send(now, Message::Binary(vec![1; 60_000].into()));
        }
        if turn % 3 != 0 {
            channel.feed(Message::Binary(vec![2; 60_000].into())).now_or_never();
        }
        world.run(50 * MS);
        while channel.next().now_or_never().flatten().is_some() {}
    }
    assert_eq!(session.closed().now_or_never(), None);
}

#[test]
fn peers_that_acknowledge_nothing_are_ended_when_all_hold_too_much_and_the_others_go_on() {
    let limits = Limits { total_buffer: 1024 * 1024, ..LIMITS };
    let mut world = World::with_limits(MS, limits);
    let (modest, mut modest_session) = world.connect(0, "x");
    let mut modest_channel = channel_of(&mut modest_session);
    let mut greedy = Vec::new();
    for number in 1..4 {
        let (address, mut session) = world.connect(number, "x");
        let channel = channel_of(&mut session);
        // Nothing arrives there any more, and nothing comes back.
        world.offerers.remove(&address);
        greedy.push((session, channel));
    }
    let mut most = 0;
    for _ in 0..200 {
        for (_, channel) in &mut greedy {
            while matches!(channel.feed(Message::Binary(vec![0; 16_384].into())).now_or_never(), Some(Ok(())))
            {
            }
        }
        world.run(MS);
        world.in_flight.retain(|_, datagram| match datagram {
            InFlight::ToOfferer(to, _) => *to == modest,
            InFlight::ToServer(..) => true,
        });
        most = most.max(world.registry.buffered());
    }
    let ended = greedy.iter().filter_map(|(session, _)| session.closed().now_or_never()).collect::<Vec<_>>();
    assert!(!ended.is_empty() && ended.iter().all(|reason| *reason == Closed::Overloaded), "{ended:?}");
    let counted = format!("hola_webrtc_limit_reached_total{{limit=\"total-buffer\"}} {}\n", ended.len());
    assert!(world.registry.metrics().encode().contains(&counted), "{counted}");
    // Each may be over its share once, by what one look of the engine brings.
    assert!(most < 3 * limits.total_buffer, "{most}");
    assert_eq!(modest_session.closed().now_or_never(), None);
    assert_lives(&mut world, modest, &mut modest_channel);
}

#[test]
fn a_peer_with_another_certificate_than_its_offer_names_is_not_let_in() {
    let mut world = World::new(MS);
    let address = offerer_address(0);
    let mut offerer = Offerer::new(world.now, address, "x");
    let offer = offerer.offer();
    let (before, fingerprint) = offer.split_once("a=fingerprint:sha-256 ").unwrap();
    let forged = format!(
        "{before}a=fingerprint:sha-256 {}{}",
        if fingerprint.starts_with("00") { "11" } else { "00" },
        &fingerprint[2..]
    );
    let answered = world.answer(&forged);
    offerer.accept_answer(world.now, &answered.sdp);
    world.offerers.insert(address, offerer);
    world.run(LIMITS.open_timeout + SECOND);
    assert!(world.sessions.is_empty());
    assert_eq!(world.residue(), 0);
}
