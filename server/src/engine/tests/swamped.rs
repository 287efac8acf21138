//! What a peer that ICE has let in sends in place of a handshake of DTLS.

use super::{
    greedy::{assert_lives, channel_of},
    handmade::Handmade,
    *,
};
use crate::engine::stack::packets::{handshake_part, handshake_record};

/// What ends the session of a peer that answers the `ClientHello` by these datagrams, and how many of them it takes.
fn flooded(datagrams: impl Iterator<Item = BytesMut>) -> Option<usize> {
    let mut world = World::new(MS);
    let (other, mut others) = world.connect(1, "x");
    let mut other_channel = channel_of(&mut others);
    let before = world.registry.count();
    let mut peer = Handmade::begin(&mut world, |_| vec![format!("sha-256 {}00", "00:".repeat(31))]);
    peer.is_mute = true;
    assert!(peer.run_until(&mut world, 2000, |peer, _| peer.is_greeted));
    let mut taken = None;
    for (number, datagram) in datagrams.enumerate() {
        world.deliver(peer.address, datagram);
        if number % 64 == 0 {
            peer.step(&mut world);
        }
        if world.registry.count() == before {
            taken = Some(number);
            break;
        }
    }
    world.run(SECOND);
    assert_lives(&mut world, other, &mut other_channel);
    taken
}

#[test]
fn a_handshake_message_in_very_many_parts_ends_its_session_and_nobody_elses() {
    let parts = (0..)
        .zip((1..=60_000).chain([0]))
        .map(|(sequence, number)| handshake_record(sequence, &handshake_part(number, 100_000)));
    assert!(flooded(parts).is_some_and(|taken| taken < 1000));
    // Many in each datagram.
    let packed = (0..).zip((1..=1200).chain([0])).map(|(sequence, number)| {
        let parts: Vec<u8> = (0..50).flat_map(|part| handshake_part(number * 50 + part, 0)).collect();
        handshake_record(sequence, &parts)
    });
    assert!(flooded(packed).is_some_and(|taken| taken < 100));
}

#[test]
fn records_that_wait_for_the_end_of_a_handshake_end_their_session_when_there_are_too_many() {
    let record = |kind, epoch, content: &[u8]| {
        let mut record = handshake_record(1, content);
        (record[0], record[4]) = (kind, epoch);
        record
    };
    let (early, change) = (record(23, 1, &[7; 1200]), record(20, 0, &[1]));
    assert!(flooded(std::iter::repeat_n(early, 20_000)).is_some_and(|taken| taken < 200));
    assert!(flooded(std::iter::repeat_n(change, 20_000)).is_some_and(|taken| taken < 1000));
}
