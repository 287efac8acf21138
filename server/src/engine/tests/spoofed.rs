//! What who forges the source of a datagram, or sends again what it has overheard, can bring about.

use futures_util::{FutureExt, StreamExt};

use super::{
    stranger::{attribute, check, controlled, negotiated},
    *,
};
use crate::channel::Message;

/// The address that somebody else's datagrams claim to come from.
fn victim() -> SocketAddr {
    offerer_address(900)
}

fn is_request(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 1])
}

/// Connects, and keeps what an eavesdropper sees of the offerer's authenticated checks.
fn overheard(world: &mut World) -> (SocketAddr, Session, Vec<BytesMut>) {
    let address = world.begin(0, "x");
    let mut checks = Vec::new();
    let opened = world.run_until(5 * SECOND, |world| {
        for datagram in world.in_flight.values() {
            if let InFlight::ToServer(_, bytes) = datagram
                && is_request(bytes)
                && !checks.contains(bytes)
            {
                checks.push(bytes.clone());
            }
        }
        !world.sessions.is_empty() && world.offerer(address).is_open()
    });
    assert!(opened && !checks.is_empty());
    (address, world.sessions.remove(0), checks)
}

/// Counts the bytes that the server sends to the address while time passes; nobody there answers.
fn drawn(world: &mut World, to: SocketAddr, time: Duration) -> usize {
    let mut bytes = 0;
    let end = world.now + time;
    while world.now < end {
        world.run_until(10 * MS, |_| false);
        let there =
            |datagram: &&InFlight| matches!(datagram, InFlight::ToOfferer(address, _) if *address == to);
        for datagram in world.in_flight.values().filter(there) {
            if let InFlight::ToOfferer(_, content) = datagram {
                bytes += content.len();
            }
        }
        world.in_flight.retain(|_, datagram| !there(&&*datagram));
    }
    bytes
}

/// An answer to each check, and one to a check of its own: all the rest is for the address that ICE has selected.
#[test]
fn overheard_checks_sent_again_from_elsewhere_draw_little_and_take_nothing_over() {
    let mut world = World::new(20 * MS);
    let (address, session, checks) = overheard(&mut world);
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    let mut came = 0;
    let mut went = 0;
    for check in checks.iter().cycle().take(200) {
        world.deliver(victim(), check.clone());
        came += check.len();
        went += drawn(&mut world, victim(), 30 * MS);
    }
    went += drawn(&mut world, victim(), 5 * SECOND);
    assert!(went <= 3 * came, "{went} bytes for {came}");
    assert_eq!(session.remote_address(), Some(address));
    let now = world.now;
    world.offerer(address).send(now, Message::Text("mine".to_owned()));
    assert!(world.run_until(SECOND, |_| channel.next().now_or_never().is_some()));
}

#[test]
fn who_forges_a_peers_address_before_it_connects_does_not_keep_it_from_connecting() {
    let mut world = World::new(MS);
    // A session of the attacker's, and its checks as if they came from where somebody is about to connect.
    let (offer, answer) = negotiated(&mut world);
    let forged = check(&answer, &offer, attribute(&answer, "ice-pwd"), true);
    let address = offerer_address(7);
    let forge = |world: &mut World| world.deliver(address, BytesMut::from(&forged.raw[..]));
    for _ in 0..3 {
        forge(&mut world);
        world.settle();
    }
    assert_eq!(world.begin(7, "x"), address);
    let opened = (0..300).any(|_| {
        forge(&mut world);
        world.run_until(10 * MS, |world| world.offerer(address).is_open())
    });
    assert!(opened);
}

#[test]
fn a_client_that_was_killed_connects_again_from_the_same_port() {
    let mut world = World::new(MS);
    let (address, before) = world.connect(0, "x");
    world.run(SECOND);
    world.offerers.remove(&address);
    assert_eq!(world.begin(0, "x"), address);
    assert!(world.run_until(10 * SECOND, |world| world.offerer(address).is_open()));
    drop(before);
}

#[test]
fn forged_icmp_errors_draw_probes_to_no_forged_address() {
    let mut world = World::new(20 * MS);
    let (address, session, checks) = overheard(&mut world);
    world.deliver(victim(), checks[0].clone());
    assert!(drawn(&mut world, victim(), 100 * MS) > 0, "a check is answered");
    let mut probes = 0;
    for _ in 0..100 {
        world.unreachable(victim());
        world.unreachable(address);
        probes += drawn(&mut world, victim(), 20 * MS);
    }
    assert_eq!(probes, 0);
    assert_eq!(session.closed().now_or_never(), None);
}

#[test]
fn forged_stun_from_a_peers_address_does_not_pass_for_the_peer() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let end = world.now + LIMITS.silence_timeout + 2 * SECOND;
    // Nothing of the peer's arrives any more, but an indication and a reply without a request do.
    for number in (0..u8::MAX).cycle() {
        let mut forged = crate::engine::stun::indication([number; 12]);
        world.deliver(address, BytesMut::from(&forged[..]));
        forged[..2].copy_from_slice(&[1, 1]);
        world.deliver(address, BytesMut::from(&forged[..]));
        world.now += 50 * MS;
        world.flush();
        if world.now >= end || session.closed().now_or_never().is_some() {
            break;
        }
    }
    assert_eq!(session.closed().now_or_never(), Some(crate::session::Closed::Silent));
}

#[test]
fn an_alert_without_encryption_does_not_end_a_session() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    for (level, description) in [(1, 0), (2, 0), (2, 40), (1, 90), (2, 80)] {
        for sequence in 0..20 {
            let record = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, sequence, 0, 2, level, description];
            world.deliver(address, BytesMut::from(&record[..]));
            world.run(10 * MS);
        }
    }
    world.run(2 * SECOND);
    assert_eq!(session.closed().now_or_never(), None);
    assert!(world.offerer(address).is_open());
}

#[test]
fn a_forged_change_of_ciphers_does_not_cut_a_peer_off() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    for epoch in 0..3 {
        let change = [20, 254, 253, 0, epoch, 1, 0, 0, 0, 0, 6, 0, 1, 1];
        world.deliver(address, BytesMut::from(&change[..]));
        world.run(10 * MS);
    }
    let now = world.now;
    world.offerer(address).send(now, Message::Text("mine".to_owned()));
    assert!(world.run_until(SECOND, |_| channel.next().now_or_never().is_some()));
}

/// By who reads the signalling's ufrags off the path, and knows no password.
#[test]
fn forged_checks_neither_turn_the_roles_nor_push_out_the_nomination_that_came_early() {
    const DELAY: Duration = Duration::from_millis(20);
    let took = |forged: Option<bool>| {
        let mut world = World::new(DELAY);
        let begin = world.now;
        let address = offerer_address(0);
        let mut offerer = Offerer::new(world.now, address, "x");
        let (offer, answered) = (offerer.offer(), world.answer(&offerer.offer()));
        offerer.accept_answer(world.now, &answered.sdp);
        world.offerers.insert(address, offerer);
        let opened = (0..500).any(|_| {
            if let Some(is_controlled) = forged {
                let forged = if is_controlled {
                    controlled(&answered.sdp, &offer, "a-password-that-is-a-guess")
                } else {
                    check(&answered.sdp, &offer, "a-password-that-is-a-guess", true)
                };
                for number in 0..8 {
                    let from = if number == 0 { address } else { offerer_address(100 + number) };
                    world.deliver(from, BytesMut::from(&forged.raw[..]));
                }
            }
            world.run_until(DELAY / 2, |world| world.offerer(address).is_open())
        });
        assert!(opened, "{forged:?}");
        world.now - begin
    };
    let alone = took(None);
    for is_controlled in [true, false] {
        assert_eq!(took(Some(is_controlled)), alone, "{is_controlled}");
    }
}
