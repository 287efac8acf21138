use super::*;
use crate::engine::stack::{
    packets::{BINARY, WHOLE, chunk, packet as whole},
    sctp::FIRST_CHUNK,
};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const TAG: u32 = 7;
const STREAM: u16 = 3;
const NONE: [BytesMut; 0] = [];

/// With round trips of 20 ms.
fn recovery() -> Recovery {
    let mut recovery = Recovery::default();
    recovery.open(STREAM, true);
    recovery.suit(Some(20 * MS));
    recovery
}

fn data(tsn: u32) -> BytesMut {
    whole(TAG, &chunk(WHOLE, tsn, STREAM, 1, BINARY, &[7; 100]))
}

fn report(acknowledged: u32, blocks: &[(u16, u16)]) -> Report {
    Report { tag: 1, acknowledged, window: 1000, blocks: blocks.to_vec() }
}

#[test]
fn what_left_before_something_that_has_come_is_lost() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for (after, tsn) in [(0, 11), (4, 12), (9, 13)] {
        recovery.sends(begun + after * MS, &data(tsn));
    }
    // The second left too soon after the first to tell.
    assert_eq!(recovery.heard(begun + 24 * MS, &report(10, &[(2, 2)])), NONE);
    assert_eq!(recovery.heard(begun + 29 * MS, &report(10, &[(2, 3)])), [data(11)]);
    // It is lost again: something that left after it comes before it.
    recovery.sends(begun + 35 * MS, &data(14));
    assert_eq!(recovery.heard(begun + 55 * MS, &report(10, &[(2, 4)])), [data(11)]);
    assert_eq!(recovery.heard(begun + 75 * MS, &report(14, &[])), NONE);
    assert_eq!((recovery.flight.capacity(), recovery.deadline()), (0, None));
}

#[test]
fn what_left_more_than_once_tells_neither_of_losses_nor_how_long_a_round_trip_takes() {
    for rtc_sctp_too in [false, true] {
        let (begun, mut recovery) = (Instant::now(), recovery());
        for tsn in 11..=14 {
            recovery.sends(begun, &data(tsn));
        }
        let again = begun + LEAST;
        assert_eq!(recovery.probe(again), [data(11), data(12)]);
        if rtc_sctp_too {
            recovery.sends(again, &data(11));
        }
        // It may be the first that has come, after a round trip of half a second.
        let come = begun + 500 * MS;
        assert_eq!(recovery.heard(come, &report(12, &[])), NONE);
        assert_eq!(recovery.round_trip, Some(20 * MS));
        // The next probe waits longer, until something that left once has taught better.
        assert_eq!(recovery.deadline(), Some(come + 2 * LEAST));
        assert_eq!(recovery.heard(come, &report(14, &[])), NONE);
        assert_eq!(recovery.round_trip, Some((20 * MS * 7 + 500 * MS) / 8 * 7 / 8 + 500 * MS / 8));
        assert_eq!(recovery.probes, 0);
    }
}

#[test]
fn what_was_sent_again_before_anything_was_acknowledged_is_nothing_new() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    recovery.sends(begun, &data(11));
    recovery.heard(begun + 20 * MS, &report(11, &[]));
    recovery.sends(begun + 30 * MS, &data(11));
    assert_eq!((recovery.flight.len(), recovery.deadline()), (0, None));
}

#[test]
fn a_probe_goes_out_where_nothing_comes_and_three_at_most() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=13 {
        recovery.sends(begun, &data(tsn));
    }
    assert_eq!(recovery.probe(begun), NONE);
    let mut at = begun;
    for wait in [LEAST, 2 * LEAST, 4 * LEAST] {
        at += wait;
        assert_eq!(recovery.deadline(), Some(at));
        assert_eq!(recovery.probe(at), [data(11), data(12)]);
    }
    assert_eq!(recovery.deadline(), None);
}

#[test]
fn what_is_alone_may_be_acknowledged_late() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in [11, 12] {
        recovery.sends(begun, &data(tsn));
    }
    recovery.heard(begun + 20 * MS, &report(11, &[]));
    let due = begun + 60 * MS + DELAYED;
    assert_eq!(recovery.deadline(), Some(due));
    // That is no long round trip.
    recovery.heard(begun + 240 * MS, &report(12, &[]));
    assert_eq!(recovery.round_trip, Some(20 * MS));
    // With something behind what is missing it comes at once.
    for tsn in [13, 14] {
        recovery.sends(begun + SECOND, &data(tsn));
    }
    recovery.heard(begun + SECOND + 20 * MS, &report(12, &[(2, 2)]));
    assert_eq!(recovery.deadline(), Some(begun + SECOND + 20 * MS + LEAST));
}

#[test]
fn a_packet_leaves_a_few_times_only() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    recovery.sends(begun, &data(11));
    let mut copies = 0;
    for number in 1..20 {
        let now = begun + u32::from(number) * 100 * MS;
        recovery.sends(now, &data(11 + u32::from(number)));
        copies += recovery.heard(now + 20 * MS, &report(10, &[(2, 1 + number)])).len();
    }
    assert_eq!(copies, TIMES as usize - 1);
    // Once its timer has sent it again, it may leave again.
    recovery.sends(begun + 2 * SECOND, &data(11));
    recovery.sends(begun + 3 * SECOND, &data(31));
    assert_eq!(recovery.heard(begun + 4 * SECOND, &report(10, &[(2, 21)])), [data(11)]);
}

#[test]
fn a_peer_without_room_is_sent_nothing_again() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for (after, tsn) in [(0, 11), (9, 12)] {
        recovery.sends(begun + after * MS, &data(tsn));
    }
    let shut = Report { window: 0, ..report(10, &[(2, 2)]) };
    assert_eq!(recovery.heard(begun + 29 * MS, &shut), NONE);
    assert_eq!((recovery.deadline(), recovery.probe(begun + SECOND)), (None, NONE.to_vec()));
    recovery.heard(begun + SECOND, &report(10, &[(2, 2)]));
    assert_eq!(recovery.deadline(), Some(begun + SECOND + LEAST));
}

#[test]
fn a_copy_has_nothing_but_the_data() {
    let mut recovery = recovery();
    let sack = [3, 0, 0, 16, 0, 0, 0, 9, 0, 0, 16, 0, 0, 0, 0, 0];
    let joined = whole(TAG, &[&sack, &data(11)[FIRST_CHUNK..]].concat());
    let begun = Instant::now();
    recovery.sends(begun, &joined);
    assert_eq!(recovery.probe(begun + SECOND), [data(11)]);
}

#[test]
fn what_may_be_given_up_is_left_alone() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    let mixed = [chunk(WHOLE, 11, STREAM, 1, BINARY, &[7; 4]), chunk(WHOLE, 12, 5, 1, BINARY, &[7; 4])];
    recovery.sends(begun, &whole(TAG, &mixed.concat()));
    assert_eq!(recovery.flight.len(), 0);
    for (is_reliable, expected) in [(true, 1), (false, 1), (true, 2)] {
        recovery.open(5, is_reliable);
        let tsn = 20 + recovery.last.unwrap();
        recovery.sends(begun, &whole(TAG, &chunk(WHOLE, tsn, 5, 1, BINARY, &[7; 4])));
        assert_eq!(recovery.flight.len(), expected);
    }
    recovery.close(5);
    recovery.sends(begun, &whole(TAG, &chunk(WHOLE, 99, 5, 1, BINARY, &[7; 4])));
    assert_eq!(recovery.flight.len(), 2);
}

#[test]
fn peers_nearby_and_associations_that_are_over_are_left_alone() {
    let begun = Instant::now();
    let mut near = recovery();
    near.sends(begun, &data(11));
    near.suit(Some(FAR / 2));
    near.sends(begun, &data(12));
    assert_eq!((near.deadline(), near.flight.len()), (None, 0));
    // On another path it learns anew how far the peer is.
    for (took, is_far) in [(FAR / 2, false), (FAR, true)] {
        near.suit(None);
        let tsn = near.last.unwrap() + 1;
        near.sends(begun, &data(tsn));
        assert_eq!(near.deadline(), None);
        near.heard(begun + took, &report(tsn, &[]));
        near.sends(begun + took, &data(tsn + 1));
        assert_eq!(near.deadline().is_some(), is_far);
    }
    near.end();
    near.sends(begun, &data(50));
    assert_eq!((near.deadline(), near.flight.len()), (None, 0));
}

#[test]
fn few_leave_for_one_acknowledgement_no_more_than_have_come_and_few_are_kept() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    // Also where the numbers begin anew.
    let first = u32::MAX - 20;
    for number in 0..100 {
        recovery.sends(begun + number * MS, &data(first.wrapping_add(number)));
    }
    assert_eq!(recovery.flight.len(), MOST);
    let again = |recovery: &mut Recovery, blocks: &[(u16, u16)]| {
        recovery.heard(begun + 120 * MS, &report(first.wrapping_sub(1), blocks))
    };
    let packets = |numbers: &[u32]| -> Vec<_> {
        numbers.iter().map(|number| data(first.wrapping_add(*number))).collect()
    };
    assert_eq!(again(&mut recovery, &[(100, 100)]), packets(&[36]));
    assert_eq!(again(&mut recovery, &[(90, 100)]), packets(&[37, 38, 39, 40]));
    assert_eq!(again(&mut recovery, &[(90, 100)]), NONE);
}
