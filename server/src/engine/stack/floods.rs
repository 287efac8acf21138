//! What SCTP holds of a peer that makes packets by hand, and is bound by no window.

use std::time::Duration;

use super::{
    packets::{BEGINNING, BINARY, UNORDERED, WHOLE, chunk, forward_tsn},
    victim::Victim,
};

const MIB: usize = 1024 * 1024;

#[test]
fn what_comes_in_one_go_from_afar_is_acknowledged_two_packets_at_a_time() {
    for (round_trip, before) in [(0, &[0][..]), (2, &[8, 6, 4, 2, 0][..])] {
        let mut victim = Victim::away(Duration::from_millis(round_trip));
        victim.open(1);
        // The acknowledgement of a single packet may wait.
        victim.now += Duration::from_secs(1);
        victim.act();
        victim.sent.clear();
        for number in 1..=10 {
            victim.deliver(&chunk(WHOLE, victim.next_tsn, 1, number, BINARY, &[7]));
            victim.next_tsn = victim.next_tsn.wrapping_add(1);
        }
        victim.act();
        let acknowledged = victim.sent.iter().filter(|packet| packet[12] == 3).map(|packet| packet[19]);
        let last = victim.next_tsn.wrapping_sub(1).to_be_bytes()[3];
        assert!(acknowledged.eq(before.iter().map(|before| last.wrapping_sub(*before))));
    }
}

#[test]
fn a_message_without_an_end_is_found_out_when_the_window_is_full() {
    for kind in [0, UNORDERED] {
        let mut victim = Victim::new();
        victim.open(1);
        let flooded = victim.flood(|victim, number| {
            victim.data(kind | if number == 0 { BEGINNING } else { 0 }, 1, 1, 1000);
            1000
        });
        assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");
    }
}

#[test]
fn so_is_one_whose_parts_come_among_small_messages() {
    for kind in [0, UNORDERED] {
        let mut victim = Victim::new();
        victim.open(1);
        victim.open(3);
        let flooded = victim.flood(|victim, number| {
            victim.data(kind | if number == 0 { BEGINNING } else { 0 }, 1, 1, 1000);
            victim.data(WHOLE, 3, number + 1, 10);
            1010
        });
        assert!(flooded.is_some_and(|bytes| bytes < MIB + 20_000), "{flooded:?}");
        assert!(victim.messages > 1000, "the small ones are read");
    }
}

#[test]
fn so_are_parts_on_very_many_streams_and_messages_whose_turn_never_comes() {
    let mut victim = Victim::new();
    let flooded = victim.flood(|victim, number| {
        victim.data(BEGINNING, number, 0, 1000);
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");

    let mut victim = Victim::new();
    victim.open(1);
    let flooded = victim.flood(|victim, number| {
        victim.data(WHOLE, 1, number + 2, 1000);
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");
}

#[test]
fn gaps_that_are_filled_from_the_top_do_not_open_the_window_wider() {
    let mut victim = Victim::new();
    victim.open(1);
    let top = victim.next_tsn.wrapping_add(4000);
    let flooded = victim.flood(|victim, number| {
        victim.chunk(0, top.wrapping_sub(number.into()), 1, 1, BINARY, &[7; 1000]);
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < 2 * MIB + 10_000), "{flooded:?}");
}

#[test]
fn parts_that_are_given_up_and_stay_count_as_well() {
    let mut victim = Victim::new();
    victim.open(1);
    let flooded = victim.flood(|victim, number| {
        victim.data(BEGINNING, 1, number + 1, 1000);
        // FORWARD TSN that names no stream.
        victim.packet(forward_tsn(victim.next_tsn.wrapping_sub(1)));
        1000
    });
    assert!(flooded.is_some_and(|bytes| bytes < MIB + 10_000), "{flooded:?}");
}

#[test]
fn very_small_chunks_are_let_in_up_to_a_number() {
    let mut victim = Victim::new();
    victim.open(1);
    for number in 0..40_000_u16 {
        victim.data(WHOLE, 1, number.wrapping_add(2) % 30_000 + 2, 1);
    }
    assert!(victim.sctp.meter().queued() < 5 * MIB, "{}", victim.sctp.meter().queued());
}

#[test]
fn an_honest_peer_fills_the_window_and_is_read_to_the_end() {
    let mut victim = Victim::new();
    victim.open(1);
    for number in 0..MIB / 1000 {
        // Nobody reads meanwhile.
        let sequence = u16::try_from(number).unwrap() + 1;
        victim.deliver(&chunk(WHOLE, victim.next_tsn, 1, sequence, BINARY, &[7; 1000]));
        victim.next_tsn = victim.next_tsn.wrapping_add(1);
        while victim.sctp.poll_transmit(victim.now).is_some() {}
        assert!(!victim.sctp.is_flooded());
    }
    let queued = victim.sctp.meter().queued();
    assert!(queued > MIB - 2000, "{queued}");
    victim.act();
    assert_eq!(victim.messages, 1 + MIB / 1000);
    assert!(!victim.sctp.is_flooded());
}

#[test]
fn messages_on_very_many_streams_that_nobody_has_announced_are_found_out() {
    let mut victim = Victim::new();
    let flooded = victim.flood(|victim, number| {
        victim.data(WHOLE, 65_534 - number, 0, 1);
        1
    });
    assert!(flooded.is_some_and(|streams| streams <= 1536), "{flooded:?}");
    assert!(victim.messages == 0);
}
