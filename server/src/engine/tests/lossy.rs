//! What a network that loses datagrams shows, and channels that make the best of one.

use futures_util::{FutureExt, SinkExt};
use rtc::data_channel::RTCDataChannelInit;

use super::*;
use crate::{
    channel::{Channel, Message},
    session::{ChannelOptions, SessionStats},
};

fn channel_of(session: &Session) -> Channel {
    session.accept_channel().now_or_never().unwrap().unwrap()
}

fn stats(world: &mut World, session: &Session) -> SessionStats {
    let mut stats = Box::pin(session.stats());
    let mut found = None;
    assert!(world.run_until(SECOND, |_| {
        found = found.take().or_else(|| stats.as_mut().now_or_never().flatten());
        found.is_some()
    }));
    found.unwrap()
}

#[test]
fn what_is_lost_and_sent_again_is_counted_once_each_time() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let mut channel = channel_of(&session);
    world.run(SECOND);
    assert_eq!(stats(&mut world, &session).retransmissions, 0);

    for round in 1..=2 {
        channel.feed(Message::Text("lost at first".to_owned())).now_or_never().unwrap().unwrap();
        // All that leaves the server is lost, once.
        assert_eq!(world.flush().len(), 1);
        let arrived = world.run_until(10 * SECOND, |world| world.offerer(address).received.len() == round);
        assert!(arrived, "the message does not arrive");
        assert_eq!(stats(&mut world, &session).retransmissions, round as u64);
    }
    let metrics = world.registry.metrics().encode();
    assert!(metrics.contains("\nhola_webrtc_sctp_retransmissions_total 2\n"), "{metrics}");
}

#[test]
fn the_reliability_of_channels_that_the_peer_opens_is_known() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "first");
    let first = channel_of(&session);
    assert!(first.parameters().ordered);
    assert_eq!((first.parameters().max_retransmits, first.parameters().max_packet_life_time), (None, None));
    for (label, ordered, max_retransmits, max_packet_life_time) in [
        ("unordered", false, None, None),
        ("once", true, Some(0), None),
        ("thrice", false, Some(3), None),
        ("fresh", true, None, Some(150)),
        ("fresh and unordered", false, None, Some(u16::MAX)),
    ] {
        let options = RTCDataChannelInit {
            ordered,
            max_retransmits,
            max_packet_life_time,
            protocol: "chat".to_owned(),
            ..RTCDataChannelInit::default()
        };
        world.offerer(address).open_with(label, options);
        world.run(SECOND);
        let channel = channel_of(&session);
        let parameters = channel.parameters();
        assert_eq!((channel.label(), &*parameters.protocol), (label, "chat"));
        assert_eq!(parameters.ordered, ordered, "{label}");
        assert_eq!(parameters.max_retransmits, max_retransmits, "{label}");
        assert_eq!(parameters.max_packet_life_time, max_packet_life_time, "{label}");
    }
}

#[test]
fn a_channel_that_sends_nothing_twice_goes_on_behind_a_loss() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "first");
    let _first = channel_of(&session);
    let options =
        RTCDataChannelInit { ordered: false, max_retransmits: Some(0), ..RTCDataChannelInit::default() };
    world.offerer(address).open_with("lossy", options);
    world.run(SECOND);
    let mut channel = channel_of(&session);
    channel.feed(Message::Text("lost".to_owned())).now_or_never().unwrap().unwrap();
    assert_eq!(world.flush().len(), 1);
    channel.feed(Message::Text("not lost".to_owned())).now_or_never().unwrap().unwrap();
    world.run(10 * SECOND);
    assert_eq!(world.offerer(address).received, [Message::Text("not lost".to_owned())]);
    assert_eq!(stats(&mut world, &session).buffered, 0, "nothing waits for what is given up");
}

#[test]
fn what_nothing_follows_is_sent_again_as_soon_as_by_browsers_or_sooner_if_its_time_is_not_over() {
    for (life_time, arrives) in [(None, Some(254)), (Some(500), Some(400)), (Some(300), None)] {
        let mut world = World::new(MS);
        let (address, session) = world.connect(0, "first");
        let _first = channel_of(&session);
        let options = RTCDataChannelInit { max_packet_life_time: life_time, ..RTCDataChannelInit::default() };
        world.offerer(address).open_with("fresh", options);
        world.run(SECOND);
        let mut channel = channel_of(&session);
        channel.feed(Message::Text("lost at first".to_owned())).now_or_never().unwrap().unwrap();
        assert_eq!(world.flush().len(), 1);
        let lost = world.now;
        let has_arrived = world.run_until(SECOND, |world| !world.offerer(address).received.is_empty());
        assert_eq!(has_arrived, arrives.is_some(), "{life_time:?}");
        let took = world.now - lost;
        assert!(
            arrives.is_none_or(|at| (at * MS..(at + 10) * MS).contains(&took)),
            "{life_time:?}: {took:?}"
        );
    }
}

#[test]
fn channels_of_the_servers_side_open_with_what_was_asked_for() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "first");
    let first = channel_of(&session);
    let options = ChannelOptions { ordered: false, max_retransmits: Some(2), ..ChannelOptions::default() };
    let mut opening = Box::pin(session.open_channel("server's", options));
    let mut opened = None;
    assert!(world.run_until(SECOND, |_| {
        opened = opened.take().or_else(|| opening.as_mut().now_or_never());
        opened.is_some()
    }));
    let mut channel = opened.unwrap().unwrap();
    assert_eq!((channel.parameters().id % 2, channel.parameters().max_retransmits), (0, Some(2)));
    assert_ne!(channel.parameters().id, first.parameters().id);
    channel.feed(Message::Text("hello".to_owned())).now_or_never().unwrap().unwrap();
    assert!(world.run_until(SECOND, |world| !world.offerer(address).received.is_empty()));
    drop(channel);
    world.run(SECOND);
    assert_eq!(stats(&mut world, &session).channels, 1);
    let both = ChannelOptions {
        max_retransmits: Some(1),
        max_packet_life_time: Some(1),
        ..ChannelOptions::default()
    };
    let mut refused = Box::pin(session.open_channel("x", both));
    assert!(
        world.run_until(SECOND, |_| refused.as_mut().now_or_never().is_some_and(|opened| opened.is_err()))
    );
}

#[test]
fn what_a_peer_acknowledges_late_is_not_sent_again() {
    for one_way in [MS, 10 * MS, 145 * MS] {
        let mut world = World::new(one_way);
        let (address, session) = world.connect(0, "x");
        let mut channel = channel_of(&session);
        let feed = |channel: &mut Channel| {
            let message = Message::Binary(vec![7; 1100].into());
            assert!(channel.feed(message).now_or_never().is_some_and(|fed| fed.is_ok()));
        };
        (0..60).for_each(|_| feed(&mut channel));
        world.run(20 * SECOND);
        // Each alone, so that the peer waits for another before it acknowledges it.
        for _ in 0..10 {
            feed(&mut channel);
            world.run(2 * SECOND);
        }
        assert_eq!(world.offerer(address).received.len(), 70);
        let sent = stats(&mut world, &session).retransmissions;
        assert_eq!(sent, 0, "{one_way:?} each way");
    }
}

/// How long it takes until all of a burst has arrived over round trips of 10 ms, if these of the datagrams are lost that leave
/// until then, and how many chunks are sent again.
fn burst_without(is_lost: impl Fn(usize) -> bool) -> (Duration, u64) {
    const MESSAGES: usize = 100;
    let mut world = World::new(5 * MS);
    let (address, session) = world.connect(0, "x");
    let mut channel = channel_of(&session);
    world.run(SECOND);
    let begun = world.now;
    for _ in 0..MESSAGES {
        let message = Message::Binary(vec![7; 1100].into());
        assert!(channel.feed(message).now_or_never().is_some_and(|fed| fed.is_ok()));
    }
    let (mut count, mut seen) = (0, world.sent);
    let arrived = world.run_until(10 * SECOND, |world| {
        let mut under_way = std::mem::take(&mut world.in_flight);
        under_way.retain(|(_, number), datagram| {
            let is_new = *number > seen && matches!(datagram, InFlight::ToOfferer(..));
            count += usize::from(is_new);
            !(is_new && is_lost(count))
        });
        seen = world.sent;
        world.in_flight = under_way;
        world.offerer(address).received.len() == MESSAGES
    });
    assert!(arrived, "{} of {MESSAGES}", world.offerer(address).received.len());
    (world.now - begun, stats(&mut world, &session).retransmissions)
}

#[test]
fn losses_in_one_burst_are_sent_again_without_waiting_for_a_timer() {
    let (whole, _) = burst_without(|_| false);
    // Of the few that leave at first, of many, side by side, near the end, and several.
    for lost in [&[3, 12][..], &[6, 19], &[50, 51], &[60, 75], &[80, 91], &[50, 57, 66], &[46, 55, 62, 71]] {
        let (took, again) = burst_without(|number| lost.contains(&number));
        assert!(took < whole + 150 * MS, "{lost:?}: {took:?}, and {whole:?} without a loss");
        let least = lost.len() as u64;
        assert!((least..=least + 1).contains(&again), "{lost:?}: {again} were sent again");
    }
}

#[test]
fn what_is_lost_again_and_again_waits_for_no_timer_either() {
    let (whole, _) = burst_without(|_| false);
    // One of eight, without a pattern. Each timer would take 400 ms at least, and the window with it.
    let (took, again) = burst_without(|number| (number.wrapping_mul(0x9E37_79B9) >> 16).is_multiple_of(8));
    assert!(took < whole + 250 * MS, "{took:?}, and {whole:?} without a loss");
    assert!(again <= 100 / 8 * 2, "{again} were sent again");
}
