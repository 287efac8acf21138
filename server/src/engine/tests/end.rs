//! How sessions end, and that nothing is left of them.

use futures_util::FutureExt;

use super::*;
use crate::session::Closed;

fn reason(session: &Session) -> Option<Closed> {
    session.closed().now_or_never()
}

#[test]
fn an_offer_that_never_connects_is_gone_after_the_check_timeout() {
    let mut world = World::new(MS);
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    world.answer(&offer);
    world.run(1999 * MS);
    assert_ne!(world.residue(), 0);
    world.run(2 * MS);
    assert_eq!(world.residue(), 0);
    assert!(world.from_server.is_empty());
}

#[test]
fn a_closed_peer_is_gone_as_soon_as_its_farewell_arrives() {
    let mut world = World::new(10 * MS);
    let (address, session) = world.connect(0, "x");
    world.offerer(address).close();
    world.run(11 * MS);
    assert_eq!(reason(&session), Some(Closed::ByPeer));
    assert_eq!(world.residue(), 0);
}

#[test]
fn a_session_without_a_channel_ends_after_a_second() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let channel = session.accept_channel().now_or_never().unwrap();
    world.offerer(address).close_channel();
    world.run(2 * SECOND);
    assert_eq!(reason(&session), Some(Closed::NoChannel));
    assert_eq!(world.residue(), 0);
    drop(channel);
}

#[test]
fn a_killed_peer_whose_host_answers_is_gone_within_two_seconds() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    world.run(5 * SECOND);
    world.offerers.remove(&address);
    world.run(2 * SECOND);
    assert_eq!(reason(&session), Some(Closed::Unreachable));
    assert_eq!(world.residue(), 0);
}

#[test]
fn a_peer_that_vanishes_without_a_trace_is_gone_after_the_silence_timeout() {
    let mut world = World::new(MS);
    let (_, session) = world.connect(0, "x");
    // A network that swallows everything: what is in flight never arrives, nor does an error.
    let end = world.now + LIMITS.silence_timeout + 2 * SECOND;
    while world.now < end && reason(&session).is_none() {
        world.now += 10 * MS;
        world.flush();
    }
    assert_eq!(reason(&session), Some(Closed::Silent));
    assert_eq!(world.residue(), 0);
}

#[test]
fn an_idle_session_lives_on() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    world.run(120 * SECOND);
    assert_eq!(reason(&session), None);
    assert!(world.offerer(address).is_open());
}

#[test]
fn a_session_that_the_server_closes_is_closed_at_the_peer() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    assert!(world.close(session.id()));
    world.run(100 * MS);
    assert_eq!(reason(&session), Some(Closed::ByServer));
    assert!(!world.offerer(address).is_open());
    assert!(!world.close(session.id()));
}

#[test]
fn a_dropped_session_is_closed_at_the_peer() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    drop(session);
    world.run(100 * MS);
    assert!(!world.offerer(address).is_open());
    assert_eq!(world.residue(), 0);
}

#[test]
fn two_hundred_connections_opened_and_closed_leave_nothing() {
    let mut world = World::new(MS);
    for number in 0..200 {
        let (address, session) = world.connect(number, "x");
        match number % 3 {
            0 => world.offerer(address).close(),
            1 => drop(session),
            _ => drop(world.close(session.id())),
        }
        world.run(10 * MS);
        world.offerers.remove(&address);
    }
    assert_eq!(world.residue(), 0);
}
