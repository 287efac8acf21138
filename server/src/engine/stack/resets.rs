//! Streams that are reset, and streams without a channel, of a peer that makes packets by hand.

use std::time::Duration;

use super::{
    packets::{UNORDERED, WHOLE, reset_request, reset_response},
    victim::Victim,
};
use crate::session::ChannelOptions;

#[test]
fn what_still_comes_on_a_channel_that_this_side_has_closed_does_not_keep_its_stream() {
    let mut victim = Victim::new();
    victim.open(1);
    assert_eq!(victim.messages, 1);
    victim.sctp.close(victim.now, 1);
    for number in 1..100 {
        victim.data(WHOLE, 1, number, 1000);
    }
    assert_eq!(victim.messages, 1, "nobody hears it");
    victim.reset(1);
    victim.now += Duration::from_secs(1);
    victim.act();
    // The stream is free for another channel, and the window is open as at first.
    victim.open(1);
    victim.data(WHOLE, 1, 1, 1000);
    assert_eq!((victim.messages, victim.sctp.meter().queued()), (3, 0));
}

#[test]
fn requests_to_reset_streams_later_are_let_in_up_to_a_number_and_answered_once_each() {
    let mut victim = Victim::new();
    victim.open(1);
    let later = victim.next_tsn.wrapping_add(1000);
    for number in 1..=1000 {
        victim.packet(reset_request(number, later, 1));
    }
    // Each is told once that it has to wait.
    assert_eq!(victim.reconfigurations(16), (1..=64).collect::<Vec<_>>());
    victim.sent.clear();
    victim.data(WHOLE, 3, 0, 1);
    assert!(victim.reconfigurations(16).is_empty());
    victim.packet(reset_request(7, later, 1));
    assert_eq!(victim.reconfigurations(16), [7]);
    // Those that are let in have their turn, and make room for the others.
    while victim.next_tsn != later.wrapping_add(1) {
        victim.data(WHOLE, 3, 0, 1);
    }
    victim.sent.clear();
    victim.packet(reset_request(1001, later, 1));
    assert_eq!(victim.reconfigurations(16), [1001]);
}

#[test]
fn a_stream_that_the_peer_is_still_resetting_is_asked_for_again() {
    let mut victim = Victim::new();
    victim.open(1);
    victim.sctp.close(victim.now, 1);
    victim.act();
    let [number] = victim.reconfigurations(13)[..] else { panic!("{:?}", victim.sent) };
    victim.packet(reset_response(number, 6));
    victim.sent.clear();
    victim.now += Duration::from_secs(10);
    victim.act();
    assert_eq!(victim.reconfigurations(13), [number]);
    // In progress is not for ever.
    victim.packet(reset_response(number, 1));
    victim.sent.clear();
    victim.now += Duration::from_secs(10);
    victim.act();
    assert!(victim.reconfigurations(13).is_empty());
}

#[test]
fn a_peer_that_never_answers_requests_to_reset_streams_is_found_out() {
    let mut victim = Victim::new();
    let flooded = victim.flood(|victim, number| {
        // It closes the channel, and is asked for the other half.
        victim.open(1);
        victim.reset_as(u32::from(number) + 1, 1);
        1
    });
    assert!(flooded.is_some_and(|channels| (1000..1100).contains(&channels)), "{flooded:?}");
}

#[test]
fn a_peer_that_answers_may_open_and_close_channels_for_ever() {
    let mut victim = Victim::new();
    let flooded = victim.flood(|victim, number| {
        victim.sent.clear();
        victim.open(1);
        victim.reset_as(u32::from(number) + 1, 1);
        let [asked] = victim.reconfigurations(13)[..] else { panic!("{:?}", victim.sent) };
        victim.packet(reset_response(asked, 1));
        1
    });
    assert_eq!(flooded, None);
    assert_eq!(victim.sctp.queued(), 0);
}

#[test]
fn what_comes_before_a_negotiated_channel_is_created_here_waits_for_it() {
    for kind in [0, UNORDERED] {
        let mut victim = Victim::new();
        for number in 0..3 {
            victim.data(WHOLE | kind, 9, number, 100);
        }
        assert_eq!(victim.messages, 0);
        assert!(victim.sctp.queued() > 300, "it counts");
        let negotiated = ChannelOptions { negotiated: Some(9), ..ChannelOptions::default() };
        victim.sctp.open(victim.now, "n", negotiated).unwrap();
        victim.act();
        victim.data(WHOLE | kind, 9, 3, 100);
        assert_eq!((victim.messages, victim.sctp.queued()), (4, 0));
    }
}

#[test]
fn a_stream_on_which_too_much_comes_without_a_channel_is_reset() {
    let mut victim = Victim::new();
    for number in 0..4 {
        victim.data(WHOLE, 9, number, 30_000);
    }
    assert_eq!(victim.reconfigurations(13).len(), 1);
    assert!(victim.sctp.queued() < 80_000);
    victim.reset(9);
    // It is free for a channel.
    let negotiated = ChannelOptions { negotiated: Some(9), ..ChannelOptions::default() };
    victim.sctp.open(victim.now, "n", negotiated).unwrap();
    victim.data(WHOLE, 9, 0, 1000);
    victim.data(WHOLE, 9, 1, 1000);
    assert_eq!((victim.messages, victim.sctp.queued()), (2, 0));
}

#[test]
fn what_came_early_is_gone_with_its_stream() {
    let mut victim = Victim::new();
    victim.data(WHOLE, 9, 0, 1000);
    victim.reset(9);
    assert_eq!((victim.messages, victim.sctp.queued()), (0, 0));
    victim.open(9);
    assert_eq!(victim.messages, 1, "the channel alone");
}
