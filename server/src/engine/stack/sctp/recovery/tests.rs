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
    recovery.suit(Instant::now(), Some(20 * MS));
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
fn what_left_more_than_once_does_not_tell_how_long_a_round_trip_takes() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=14 {
        recovery.sends(begun, &data(tsn));
    }
    assert_eq!(recovery.probe(begun + LEAST), [data(11), data(12)]);
    // This is the first that has come: sooner than a round trip after the second.
    let come = begun + LEAST + 19 * MS;
    assert_eq!(recovery.heard(come, &report(11, &[])), NONE);
    assert_eq!(recovery.round_trip, Some(20 * MS));
    // The next probe waits longer, until something that left once has taught better.
    assert_eq!((recovery.deadline(), recovery.probes), (Some(come + 2 * LEAST), 1));
    recovery.heard(begun + 180 * MS, &report(14, &[]));
    assert_eq!((recovery.round_trip, recovery.probes), (Some(40 * MS), 0));
}

#[test]
fn a_probe_that_comes_tells_of_what_was_lost_before_it() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=20 {
        recovery.sends(begun, &data(tsn));
    }
    let mut now = begun + LEAST;
    assert_eq!(recovery.probe(now), [data(11), data(12)]);
    for acknowledged in (12..20).step_by(2) {
        now += 20 * MS;
        let again = [data(acknowledged + 1), data(acknowledged + 2)];
        assert_eq!(recovery.heard(now, &report(acknowledged, &[])), again);
    }
}

#[test]
fn what_comes_sooner_than_was_known_counts_too() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=15 {
        recovery.sends(begun, &data(tsn));
    }
    recovery.heard(begun + 10 * MS, &report(11, &[]));
    let again = recovery.deadline().unwrap();
    assert_eq!(recovery.probe(again), [data(12), data(13)]);
    assert_eq!(recovery.heard(again + 10 * MS, &report(13, &[])), [data(14), data(15)]);
}

#[test]
fn acknowledgements_of_what_was_forgotten_put_a_probe_off() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for number in 0..70 {
        recovery.sends(begun, &data(11 + number));
    }
    recovery.heard(begun + 20 * MS, &report(13, &[]));
    assert_eq!(recovery.deadline(), Some(begun + 20 * MS + LEAST));
    recovery.heard(begun + 30 * MS, &report(13, &[]));
    assert_eq!(recovery.deadline(), Some(begun + 20 * MS + LEAST));
}

#[test]
fn only_the_last_of_what_comes_together_tells_how_long_a_round_trip_takes() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for (after, tsn) in [(0, 11), (100, 12)] {
        recovery.sends(begun + after * MS, &data(tsn));
    }
    recovery.heard(begun + 120 * MS, &report(12, &[]));
    assert_eq!(recovery.round_trip, Some(20 * MS));
}

#[test]
fn what_rtc_sctp_sends_again_has_left_again_whatever_it_is_packed_with() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=13 {
        recovery.sends(begun, &data(tsn));
    }
    let together: Vec<_> = (11..=13).flat_map(|tsn| data(tsn)[FIRST_CHUNK..].to_vec()).collect();
    recovery.sends(begun + 400 * MS, &whole(TAG, &together));
    assert_eq!(recovery.deadline(), Some(begun + 400 * MS + LEAST));
    recovery.sends(begun + 410 * MS, &data(14));
    // It left but ten milliseconds before, which teaches nothing.
    assert_eq!(recovery.heard(begun + 420 * MS, &report(10, &[(2, 2)])), NONE);
    assert_eq!((recovery.round_trip, recovery.flight.len()), (Some(20 * MS), 3));
    // What comes is counted from there.
    assert_eq!(recovery.heard(begun + 430 * MS, &report(10, &[(2, 2), (4, 4)])), [data(11)]);
}

#[test]
fn what_the_timer_sends_again_is_left_to_it_until_it_leaves() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=14 {
        recovery.sends(begun, &data(tsn));
    }
    recovery.timers_ran(begun + 200 * MS);
    assert!(recovery.is_waiting(), "it was another timer");
    let due = begun + 400 * MS;
    recovery.sends(due, &data(11));
    recovery.timers_ran(due);
    assert_eq!(recovery.heard(due + 20 * MS, &report(11, &[])), NONE);
    assert!(!recovery.is_waiting());
    recovery.sends(due + 20 * MS, &data(12));
    recovery.sends(due + 29 * MS, &data(15));
    assert_eq!(recovery.heard(due + 49 * MS, &report(11, &[(4, 4)])), [data(12)]);
}

#[test]
fn a_packet_in_new_company_is_not_new_though_its_first_chunk_was_never_first() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    let pair: Vec<_> = (11..=12).flat_map(|tsn| data(tsn)[FIRST_CHUNK..].to_vec()).collect();
    recovery.sends(begun, &whole(TAG, &pair));
    recovery.sends(begun + 400 * MS, &data(12));
    assert_eq!(recovery.flight.back().map(|sent| (sent.tsn, sent.times)), Some((12, 2)));
}

#[test]
fn what_others_send_does_not_put_a_probe_off() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in [11, 12] {
        recovery.sends(begun, &data(tsn));
    }
    recovery.sends(begun + 40 * MS, &whole(TAG, &chunk(WHOLE, 13, 5, 1, BINARY, &[7; 4])));
    assert_eq!(recovery.deadline(), Some(begun + LEAST));
}

#[test]
fn what_was_forgotten_and_is_sent_again_is_known_again() {
    for are_others_missing in [false, true] {
        forgotten_and_sent_again(are_others_missing);
    }
}

fn forgotten_and_sent_again(are_others_missing: bool) {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for number in 0..70 {
        recovery.sends(begun, &data(11 + number));
    }
    // The peer has all but the first, or nothing.
    let last = if are_others_missing { 1 } else { 70 };
    if !are_others_missing {
        recovery.heard(begun + 20 * MS, &report(10, &[(2, last)]));
    }
    recovery.sends(begun + 20 * MS, &data(11));
    assert_eq!(recovery.flight[0].times, 2);
    recovery.sends(begun + 30 * MS, &data(90));
    let heard = report(10, &[(2, last), (80, 80)]);
    assert_eq!(recovery.heard(begun + 50 * MS, &heard), [data(11)]);
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
fn a_peer_without_room_is_sent_only_what_it_misses_before_what_it_has() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for (after, tsn) in [(0, 11), (1, 12), (9, 13)] {
        recovery.sends(begun + after * MS, &data(tsn));
    }
    let shut = |acknowledged, blocks: &[_]| Report { window: 0, ..report(acknowledged, blocks) };
    assert_eq!(recovery.heard(begun + 29 * MS, &shut(10, &[(3, 3)])), [data(11)]);
    let due = begun + 29 * MS + LEAST;
    assert_eq!((recovery.deadline(), recovery.probe(due).len()), (Some(due), 1));
    assert_eq!(recovery.heard(begun + SECOND, &shut(11, &[])), NONE);
    assert_eq!((recovery.deadline(), recovery.probe(begun + 2 * SECOND)), (None, NONE.to_vec()));
    recovery.heard(begun + 2 * SECOND, &report(11, &[]));
    assert!(recovery.deadline().is_some());
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
    near.suit(begun, Some(FAR / 2));
    near.sends(begun, &data(12));
    assert_eq!((near.deadline(), near.flight.len()), (None, 0));
    // On another path it learns anew how far the peer is, but not from one packet what others have said.
    for (known, took, is_far) in [
        (None, FAR / 2, false),
        (None, FAR, true),
        (Some(FAR), FAR / 2, false),
        (Some(2 * FAR), FAR / 2, true),
    ] {
        near.suit(begun, known);
        let tsn = near.last.unwrap() + 1;
        near.sends(begun, &data(tsn));
        assert_eq!(near.deadline().is_some(), known.is_some());
        near.heard(begun + took, &report(tsn, &[]));
        near.sends(begun + took, &data(tsn + 1));
        assert_eq!(near.deadline().is_some(), is_far);
    }
    near.suit(begun, Some(FAR));
    near.end();
    near.sends(begun, &data(50));
    assert_eq!((near.deadline(), near.flight.len()), (None, 0));
}

#[test]
fn what_is_out_when_the_path_changes_is_probed_for_on_the_new_one_and_teaches_nothing() {
    let (begun, mut recovery) = (Instant::now(), recovery());
    for tsn in 11..=13 {
        recovery.sends(begun, &data(tsn));
    }
    (1..=PROBES).for_each(|after| drop(recovery.probe(begun + after * SECOND)));
    assert_eq!(recovery.deadline(), None);
    let moved = begun + 5 * SECOND;
    recovery.suit(moved, Some(50 * MS));
    assert_eq!(recovery.deadline(), Some(moved + 100 * MS));
    assert_eq!(recovery.probe(moved + 100 * MS), [data(11), data(12)]);
    recovery.heard(moved + 150 * MS, &report(13, &[]));
    assert_eq!(recovery.round_trip, Some(50 * MS));
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
