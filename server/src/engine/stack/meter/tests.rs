//! What is kept from SCTP, and what is not.

use bytes::{BufMut, BytesMut};

use super::{
    super::{
        packet::CHECKSUM,
        packets::{BINARY, WHOLE, chunk, forward_tsn, packet},
    },
    near::{FLIGHT, REPORTS},
    *,
};

const WINDOW: usize = 1024 * 1024;
/// Near the end of the circle.
const INITIAL: u32 = u32::MAX - 100;

fn is_let_in(meter: &mut Meter, chunk: impl AsRef<[u8]>) -> bool {
    meter.received(&mut packet(1, chunk.as_ref()), |_| false)
}

fn gets(meter: &mut Meter, tsn: u32) -> bool {
    is_let_in(meter, chunk(WHOLE, tsn, 1, 0, BINARY, &[7]))
}

/// The peer's INIT or INIT ACK.
fn begins(meter: &mut Meter, kind: u8, initial: u32) {
    let mut chunk = vec![kind, 0, 0, 20, 0, 0, 0, 1, 0, 16, 0, 0, 255, 255, 255, 255];
    chunk.put_u32(initial);
    assert!(is_let_in(meter, chunk));
}

/// SCTP's acknowledgement, with this much in its queue.
fn acknowledges(meter: &mut Meter, tsn: u32, queued: usize) {
    let mut chunk = vec![3, 0, 0, 16];
    chunk.put_u32(tsn);
    chunk.put_u32(u32::try_from(WINDOW - queued).unwrap());
    chunk.put_u32(0);
    meter.sends(&packet(2, &chunk));
}

fn associated() -> Meter {
    let mut meter = Meter::new(WINDOW);
    begins(&mut meter, 2, INITIAL);
    meter
}

#[test]
fn a_forward_tsn_is_let_in_up_to_a_distance_from_what_is_acknowledged() {
    let mut meter = associated();
    for base in [INITIAL.wrapping_sub(1), 77, 1 << 31] {
        for ahead in [0, 1, 1 << 17] {
            assert!(is_let_in(&mut meter, forward_tsn(base.wrapping_add(ahead))), "{base} {ahead}");
            assert!(is_let_in(&mut meter, forward_tsn(base.wrapping_sub(ahead))), "{base} {ahead}");
        }
        // What is half the circle behind is ahead of what has come since.
        for ahead in [(1 << 17) + 1, 1 << 30, i32::MAX as u32, 1 << 31, (1 << 31) + 1000] {
            assert!(!is_let_in(&mut meter, forward_tsn(base.wrapping_add(ahead))), "{base} {ahead}");
        }
        acknowledges(&mut meter, if base == 77 { 1 << 31 } else { 77 }, 0);
    }
}

#[test]
fn a_forward_tsn_waits_for_an_acknowledgement_if_it_is_unclear_where_the_peer_begins() {
    let mut meter = Meter::new(WINDOW);
    assert!(!is_let_in(&mut meter, forward_tsn(0)));
    begins(&mut meter, 1, 5);
    begins(&mut meter, 2, 5);
    assert!(is_let_in(&mut meter, forward_tsn(5)));
    begins(&mut meter, 2, 1 << 31);
    assert!(!is_let_in(&mut meter, forward_tsn(5)));
    assert!(!is_let_in(&mut meter, forward_tsn(1 << 31)));
    assert!(gets(&mut meter, 5));
    acknowledges(&mut meter, 5, 0);
    assert!(is_let_in(&mut meter, forward_tsn(6)));
}

#[test]
fn a_chunk_does_not_hide_another() {
    let mut meter = associated();
    for mut outer in [
        vec![11, 0, 0, 12],
        vec![8, 0, 0, 12],
        vec![3, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0],
        vec![4, 0, 0, 16, 0, 1, 0, 8, 0, 0, 0, 0],
    ] {
        outer.extend(forward_tsn(INITIAL.wrapping_add(1 << 30)));
        assert!(!is_let_in(&mut meter, outer));
    }
}

#[test]
fn data_is_let_in_up_to_a_distance_from_what_is_acknowledged() {
    let mut meter = associated();
    assert!(gets(&mut meter, INITIAL.wrapping_add(4095)));
    assert!(!gets(&mut meter, INITIAL.wrapping_add(4096)));
    assert!(!gets(&mut meter, INITIAL.wrapping_add(1 << 31)));
    acknowledges(&mut meter, INITIAL, 0);
    assert!(gets(&mut meter, INITIAL.wrapping_add(4096)));
    assert!(gets(&mut meter, INITIAL), "SCTP acknowledges once more what comes again");
}

#[test]
fn a_gap_is_filled_even_if_no_more_chunks_are_let_in() {
    let mut meter = associated();
    for number in 1..=4000 {
        assert!(gets(&mut meter, INITIAL.wrapping_add(number)));
    }
    assert!(gets(&mut meter, INITIAL));
    acknowledges(&mut meter, INITIAL.wrapping_add(4000), 4001);
    let mut next = INITIAL.wrapping_add(4002);
    while gets(&mut meter, next) {
        next = next.wrapping_add(1);
    }
    assert_eq!(next.wrapping_sub(INITIAL), 4002 + 95, "as many as may wait");
    assert!(gets(&mut meter, INITIAL.wrapping_add(4001)));
}

#[test]
fn chunks_that_come_again_are_not_counted_again() {
    let mut meter = associated();
    for number in 0..100_000 {
        assert!(gets(&mut meter, INITIAL.wrapping_add(number % 2)));
    }
    assert_eq!(meter.queued(), 2 + 2 * CHUNK_COST);
    acknowledges(&mut meter, INITIAL.wrapping_add(1), 2);
    for number in 0..100_000 {
        assert!(gets(&mut meter, INITIAL.wrapping_add(number % 2)));
    }
    meter.read(2, 2);
    assert_eq!(meter.queued(), 0);
}

#[test]
fn chunks_that_are_given_up_are_not_counted_for_ever() {
    let mut meter = associated();
    for number in 0..4096 {
        assert!(gets(&mut meter, INITIAL.wrapping_add(number)));
    }
    acknowledges(&mut meter, INITIAL.wrapping_add(4095), 1);
    assert!(gets(&mut meter, INITIAL.wrapping_add(4096)));
    meter.read(2, 1);
    assert_eq!(meter.queued(), 0);
}

#[test]
fn a_packet_that_is_cut_short_is_no_danger() {
    let mut meter = associated();
    for kind in 0..=u8::MAX {
        for length in 0..24 {
            let mut bytes = BytesMut::from(&packet(1, &[kind, 0, 0, length])[..]);
            bytes.resize(12 + usize::from(length), 0);
            meter.received(&mut bytes, |_| true);
            meter.sends(&bytes);
        }
    }
}

#[test]
fn every_second_packet_from_afar_is_acknowledged_and_every_one_while_something_is_missing() {
    let reports = |meter: &mut Meter, tsn: u32, gaps: u16| {
        let mut chunk = vec![3, 0, 0, 16];
        chunk.put_u32(tsn);
        chunk.put_u32(u32::try_from(WINDOW).unwrap());
        chunk.put_u16(gaps);
        chunk.put_u16(0);
        meter.sends(&packet(2, &chunk));
    };
    let mut meter = associated();
    meter.came_up(Some(FAR));
    let mut next = INITIAL;
    for (gaps, after) in [(0, [false, true]), (1, [true, true]), (MAX_GAPS, [true, true]), (0, [false, true])]
    {
        reports(&mut meter, next.wrapping_sub(1), gaps);
        assert!(!meter.is_report_due());
        for is_due in after {
            assert!(gets(&mut meter, next));
            next = next.wrapping_add(1);
            assert_eq!(meter.is_report_due(), is_due, "{gaps} gaps");
        }
    }
    // What is long to tell is told at the end of a pass.
    reports(&mut meter, next.wrapping_sub(1), MAX_GAPS + 1);
    for tsn in 0..10 {
        assert!(gets(&mut meter, next.wrapping_add(tsn)));
        assert!(!meter.is_report_due());
    }
}

#[test]
fn what_carries_no_data_is_not_acknowledged() {
    let mut meter = associated();
    for _ in 0..10 {
        assert!(is_let_in(&mut meter, forward_tsn(INITIAL)));
        assert!(!meter.is_report_due());
    }
}

/// A selective acknowledgement with this window.
fn report(window: u32) -> BytesMut {
    let mut chunk = vec![3, 0, 0, 16, 0, 0, 0, 9];
    chunk.put_u32(window);
    chunk.put_u32(0);
    packet(1, &chunk)
}

/// The window in a packet that is whole.
fn window_in(packet: &[u8]) -> usize {
    let mut zeroed = packet.to_vec();
    zeroed[CHECKSUM].fill(0);
    assert_eq!(packet[CHECKSUM], crc32c::crc32c(&zeroed).to_le_bytes());
    Chunks::of(packet).find_map(|chunk| chunk.report()).unwrap().window
}

#[test]
fn a_peer_nearby_is_taken_to_have_no_more_room_than_its_socket() {
    let window_after = |meter: &mut Meter, window: u32| {
        let mut packet = report(window);
        assert!(meter.received(&mut packet, |_| false));
        window_in(&packet)
    };
    let mut meter = associated();
    let nearby = FLIGHT as usize;
    meter.came_up(Some(FAR / 2));
    for (window, taken) in [(0, 0), (FLIGHT, nearby), (FLIGHT + 1, nearby), (u32::MAX, nearby)] {
        assert_eq!(window_after(&mut meter, window), taken);
    }
    meter.moved();
    assert_eq!(window_after(&mut meter, u32::MAX), u32::MAX as usize);
    meter.came_up(Some(FAR));
    assert_eq!(window_after(&mut meter, u32::MAX), u32::MAX as usize);
}

#[test]
fn a_peer_nearby_is_shown_a_window_that_draws_few_acknowledgements() {
    const LENGTH: usize = 1000;
    let mut tsn = INITIAL;
    let mut shown_after = |meter: &mut Meter, chunks: usize, window: usize| {
        for _ in 0..chunks {
            assert!(is_let_in(meter, chunk(WHOLE, tsn, 1, 0, BINARY, &[7; LENGTH])));
            tsn = tsn.wrapping_add(1);
        }
        acknowledges(meter, tsn.wrapping_sub(1), 0);
        window_in(&meter.shown(report(u32::try_from(window).unwrap()).freeze()))
    };
    let mut meter = associated();
    meter.came_up(Some(FAR / 2));
    for _ in 0..100 {
        assert_eq!(shown_after(&mut meter, 2, WINDOW), FLIGHT as usize);
        assert_eq!(shown_after(&mut meter, 2, 10_000), 10_000, "what is less stays");
    }
    let widest = (0..100).map(|_| shown_after(&mut meter, 30, WINDOW)).max().unwrap();
    assert!((200 * LENGTH..=REPORTS as usize * 30 * LENGTH).contains(&widest), "{widest}");
    let narrowest = (0..100).map(|_| shown_after(&mut meter, 2, WINDOW)).min();
    assert_eq!(narrowest, Some(FLIGHT as usize));
    meter.moved();
    assert_eq!(shown_after(&mut meter, 2, WINDOW), WINDOW);
}
