//! Several workers on one port.

use futures_util::{FutureExt, SinkExt, StreamExt};

use super::*;
use crate::{channel::Message, session::Closed};

#[test]
fn a_session_goes_once_to_the_worker_at_whose_socket_its_datagrams_arrive() {
    let mut world = World::with_workers(2, 10 * MS, LIMITS);
    // The first begins at worker 0 and its datagrams come to worker 1, the second the other way round.
    let addresses = [offerer_address(1), offerer_address(2)];
    for number in [1, 2] {
        world.begin(number, "x");
    }
    let all_open = world.run_until(5 * SECOND, |world| {
        world.sessions.len() == 2 && addresses.iter().all(|address| world.offerer(*address).is_open())
    });
    assert!(all_open);
    assert!(world.handed_over > 0, "the checks came to the other worker");

    let before = world.handed_over;
    let now = world.now;
    let accept = |session: &mut Session| session.accept_channel().now_or_never().unwrap().unwrap();
    let channels: Vec<_> = world.sessions.iter_mut().map(accept).collect();
    for address in addresses {
        world.offerer(address).send(now, Message::Text("hi".to_owned()));
    }
    world.run(5 * SECOND);
    assert_eq!(world.handed_over, before, "from then on nothing is handed over");
    assert!(world.cores.iter().all(|core| core.residue() > 0), "each has one");
    drop(channels);
}

#[test]
fn a_client_whose_address_changes_is_served_by_the_same_worker_through_the_other_socket() {
    let mut world = World::with_workers(2, MS, LIMITS);
    let (address, session) = world.connect(1, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    let before = world.handed_over;
    // What the NAT's new mapping looks like from here: the same peer, from a port of the other worker's.
    let moved = offerer_address(2);
    let mut offerer = world.offerers.remove(&address).unwrap();
    let restarted = offerer.restart_ice(world.now, moved);
    let ours = world.restart_ice(session.id(), &restarted.ufrag, &restarted.password);
    offerer.accept_restart(world.now, &ours);
    world.offerers.insert(moved, offerer);

    let now = world.now;
    world.offerer(moved).send(now, Message::Text("still here".to_owned()));
    let mut received = None;
    assert!(world.run_until(10 * SECOND, |_| {
        received = received.take().or_else(|| channel.next().now_or_never().flatten());
        received.is_some()
    }));
    assert_eq!(received, Some(Message::Text("still here".to_owned())));
    assert!(world.handed_over > before);
    assert_eq!(session.remote_address(), Some(moved));

    channel.send(Message::Text("welcome".to_owned())).now_or_never();
    assert!(world.run_until(5 * SECOND, |world| !world.offerer(moved).received.is_empty()));
    world.offerer(moved).close();
    world.run(SECOND);
    assert_eq!(session.closed().now_or_never(), Some(Closed::ByPeer));
    assert_eq!(world.residue(), 0);
}

#[test]
fn an_icmp_error_finds_its_session_at_whichever_worker_it_is() {
    let mut world = World::with_workers(2, MS, LIMITS);
    let (address, session) = world.connect(1, "x");
    world.run(2 * SECOND);
    world.offerers.remove(&address);
    world.run(3 * SECOND);
    assert_eq!(session.closed().now_or_never(), Some(Closed::Unreachable));
    assert_eq!(world.residue(), 0);
}

/// A peer that no worker has adopted yet.
fn new_peer(world: &World) -> (Answered, Box<Peer>) {
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    world.reception.answer(world.now, &offer, OfferContext::default(), 0).unwrap()
}

#[test]
fn a_peer_that_a_stopped_worker_gives_back_leaves_nothing() {
    let world = World::new(MS);
    let (_, peer) = new_peer(&world);
    assert_ne!(world.residue(), 0);
    relocate(&world.registry, peer, 0, Err);
    assert_eq!(world.residue(), 0);
}

#[test]
fn a_peer_that_arrives_after_the_order_to_drain_is_ended() {
    let mut world = World::new(MS);
    let (_, peer) = new_peer(&world);
    world.registry.drain();
    world.cores[0].drain(world.now);
    world.cores[0].adopt(peer);
    world.flush();
    assert_eq!(world.residue(), 0);
}

#[test]
fn a_datagram_that_arrives_before_its_peer_waits_for_it() {
    let mut world = World::new(MS);
    let mut offerer = Offerer::new(world.now, offerer_address(0), "x");
    let (answered, peer) =
        world.reception.answer(world.now, &offerer.offer(), OfferContext::default(), 0).unwrap();
    offerer.accept_answer(world.now, &answered.sdp);
    world.now += 50 * MS;
    for check in offerer.drive(world.now) {
        world.deliver(offerer_address(0), check);
    }
    let strays = world.cores[0].take_outbound().strays;
    assert!(!strays.is_empty(), "the check is lost");
    world.cores[0].adopt(peer);
    for (_, stray) in strays {
        world.cores[0].receive(world.now, 0, stray);
    }
    assert!(!world.flush().is_empty(), "the check is answered");
}
