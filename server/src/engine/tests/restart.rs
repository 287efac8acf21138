//! ICE restarts beneath a living connection.

use futures_util::{FutureExt, SinkExt, StreamExt};

use super::*;
use crate::channel::Message;

#[test]
fn what_is_said_during_a_restart_arrives_in_order_and_without_a_retransmission() {
    const DELAY: Duration = Duration::from_millis(20);
    let mut world = World::new(DELAY);
    let (address, session) = world.connect(0, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    world.run(SECOND);

    // The client hears of the server's new credentials a round trip later. A browser speaks on the old path until then;
    // this offerer has said it just before.
    let now = world.now;
    world.offerer(address).send(now, Message::Text("during".to_owned()));
    let old_path = world.offerer(address).drive(now);
    let restarted = world.offerer(address).restart_ice(now, address);
    let ours = world.restart_ice(session.id(), &restarted.ufrag, &restarted.password);
    for datagram in old_path {
        world.deliver(address, datagram);
    }
    channel.send(Message::Text("from the server".to_owned())).now_or_never();
    world.run(2 * DELAY);
    let now = world.now;
    world.offerer(address).accept_restart(now, &ours);

    let mut received = None;
    let in_time = world.run_until(900 * MS, |world| {
        received = received.take().or_else(|| channel.next().now_or_never().flatten());
        received.is_some() && !world.offerer(address).received.is_empty()
    });
    assert!(in_time, "SCTP sends again after a second at the earliest: {received:?}");
    assert_eq!(received, Some(Message::Text("during".to_owned())));
    assert_eq!(world.offerer(address).received, [Message::Text("from the server".to_owned())]);
}

/// A phone on its way, whose address changes again and again.
#[test]
fn a_client_whose_address_changes_more_often_than_a_session_keeps_paths_is_followed() {
    let mut world = World::new(MS);
    let (mut address, session) = world.connect(0, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    for number in 1..=40 {
        let now = world.now;
        let mut offerer = world.offerers.remove(&address).unwrap();
        address = offerer_address(number);
        let restarted = offerer.restart_ice(now, address);
        world.offerers.insert(address, offerer);
        let ours = world.restart_ice(session.id(), &restarted.ufrag, &restarted.password);
        world.offerer(address).accept_restart(now, &ours);
        let is_followed = world.run_until(5 * SECOND, |_| session.remote_address() == Some(address));
        assert!(is_followed, "{number}");
        // What this offerer sends before it has selected the pair as well, it drops.
        world.run(SECOND);
        let now = world.now;
        world.offerer(address).send(now, Message::Text(number.to_string()));
        let mut received = None;
        world.run_until(60 * SECOND, |_| {
            received = received.take().or_else(|| channel.next().now_or_never().flatten());
            received.is_some()
        });
        let ended = session.closed().now_or_never();
        assert_eq!(received, Some(Message::Text(number.to_string())), "{ended:?}");
    }
    drop((session, channel));
    world.offerers.clear();
    assert!(world.run_until(60 * SECOND, |world| world.residue() == 0));
}

/// Both lose their addresses and get new ones, of the other kind.
#[test]
fn a_session_follows_its_server_to_the_addresses_that_the_reply_to_a_restart_names() {
    let mut world = World::new(MS);
    let (before, session) = world.connect(0, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    let [ours, theirs] = ["[2001:db8::1]:8443", "[2001:db8::2]:5000"].map(|at| at.parse().unwrap());
    world.reception.replace(Answerer::new(vec![ours], LIMITS.max_message_size).unwrap());
    world.server = ours;
    world.in_flight.clear();

    let now = world.now;
    let mut offerer = world.offerers.remove(&before).unwrap();
    let restarted = offerer.restart_ice(now, theirs);
    world.offerers.insert(theirs, offerer);
    let credentials = world.restart_ice(session.id(), &restarted.ufrag, &restarted.password);
    world.offerer(theirs).accept_restart_at(now, &credentials, ours);
    assert!(world.run_until(5 * SECOND, |_| session.remote_address() == Some(theirs)));

    world.run(SECOND);
    let now = world.now;
    world.offerer(theirs).send(now, Message::Text("there".to_owned()));
    let mut received = None;
    world.run_until(5 * SECOND, |_| {
        received = received.take().or_else(|| channel.next().now_or_never().flatten());
        received.is_some()
    });
    assert_eq!(received, Some(Message::Text("there".to_owned())));
}

#[test]
fn what_is_lost_on_a_path_that_has_become_long_waits_for_no_timer() {
    let mut world = World::new(MS / 10);
    let (address, session) = world.connect(0, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    world.run(SECOND);
    let mut offerer = world.offerers.remove(&address).unwrap();
    let moved = offerer_address(1);
    let restarted = offerer.restart_ice(world.now, moved);
    world.offerers.insert(moved, offerer);
    world.delay = 10 * MS;
    let ours = world.restart_ice(session.id(), &restarted.ufrag, &restarted.password);
    let now = world.now;
    world.offerer(moved).accept_restart(now, &ours);
    assert!(world.run_until(5 * SECOND, |_| session.remote_address() == Some(moved)));
    world.run(SECOND);
    for (is_lost, within) in [(false, 20 * MS), (true, 320 * MS)] {
        channel.feed(Message::Text("from the server".to_owned())).now_or_never();
        if is_lost {
            assert_eq!(world.flush().len(), 1);
        }
        let count = world.offerer(moved).received.len();
        let has_arrived = world.run_until(within, |world| world.offerer(moved).received.len() > count);
        assert!(has_arrived, "lost: {is_lost}");
        world.run(SECOND);
    }
}
