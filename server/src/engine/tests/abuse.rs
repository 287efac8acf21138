//! What strangers send.

use futures_util::{FutureExt, StreamExt};
use rtc::stun::{
    fingerprint::FINGERPRINT,
    message::{BINDING_REQUEST, BINDING_SUCCESS, Message as StunMessage},
};

use super::{
    stranger::{attribute, build, check, integrity, negotiated},
    *,
};

fn replies(world: &mut World) -> Vec<StunMessage> {
    let datagrams = world.flush();
    datagrams
        .into_iter()
        .map(|datagram| {
            let mut message = StunMessage { raw: datagram.bytes.to_vec(), ..StunMessage::default() };
            message.decode().unwrap();
            message
        })
        .collect()
}

#[test]
fn candidates_in_the_offer_are_not_contacted() {
    let mut world = World::new(MS);
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    // As browsers write them, and as only a lenient parser reads them.
    for prefix in ["a=", "\ra=", "a= ", "a=mid:0\ra="] {
        let forged = format!("{prefix}candidate:7 1 udp 2130706431 203.0.113.5 53 typ host\r\n");
        world.answer(&format!("{offer}{forged}"));
    }
    world.run(3 * SECOND);
    assert!(world.from_server.is_empty());
}

#[test]
fn a_check_with_a_wrong_password_or_user_draws_no_datagram() {
    let mut world = World::new(MS);
    let (offer, answer) = negotiated(&mut world);
    let wrong = check(&answer, &offer, "a wrong password of some length", false);
    world.deliver(offerer_address(1), BytesMut::from(&wrong.raw[..]));
    let other = check(&answer.replace("a=ice-ufrag:", "a=ice-ufrag:0"), &offer, "x", false);
    world.deliver(offerer_address(2), BytesMut::from(&other.raw[..]));
    world.run(SECOND);
    assert!(world.from_server.is_empty());
}

#[test]
fn a_check_with_the_password_is_answered_where_it_came_from_and_nowhere_else() {
    let mut world = World::new(MS);
    let (offer, answer) = negotiated(&mut world);
    let right = check(&answer, &offer, attribute(&answer, "ice-pwd"), false);
    world.deliver(offerer_address(1), BytesMut::from(&right.raw[..]));
    world.run(100 * MS);
    assert!(!world.from_server.is_empty());
    assert!(world.from_server.iter().all(|remote| *remote == offerer_address(1)));
}

/// Whether a nomination is answered that comes before its pair is valid, followed by those of so many other addresses.
fn is_early_nomination_answered(others: u16) -> bool {
    let mut world = World::new(MS);
    let (offer, answer) = negotiated(&mut world);
    let nomination = check(&answer, &offer, attribute(&answer, "ice-pwd"), true);
    world.deliver(offerer_address(0), BytesMut::from(&nomination.raw[..]));
    let triggered = replies(&mut world).into_iter().find(|message| message.typ == BINDING_REQUEST).unwrap();
    for number in 1..=others {
        let other = check(&answer, &offer, attribute(&answer, "ice-pwd"), true);
        world.deliver(offerer_address(number), BytesMut::from(&other.raw[..]));
        world.flush();
    }

    let success = build(&[
        Box::new(BINDING_SUCCESS),
        Box::new(triggered.transaction_id),
        Box::new(rtc::stun::xoraddr::XorMappedAddress {
            ip: server_address().ip(),
            port: server_address().port(),
        }),
        Box::new(integrity(attribute(&offer, "ice-pwd"))),
        Box::new(FINGERPRINT),
    ]);
    world.deliver(offerer_address(0), BytesMut::from(&success.raw[..]));
    world.flush().into_iter().any(|datagram| {
        let mut message = StunMessage { raw: datagram.bytes.to_vec(), ..StunMessage::default() };
        message.decode().is_ok()
            && message.typ == BINDING_SUCCESS
            && message.transaction_id == nomination.transaction_id
    })
}

#[test]
fn a_nomination_that_comes_before_the_pair_is_valid_is_answered_once_it_is() {
    assert!(is_early_nomination_answered(0));
}

#[test]
fn an_early_nomination_is_not_lost_to_those_of_the_peers_other_addresses() {
    assert!(is_early_nomination_answered(1));
    assert!(is_early_nomination_answered(3));
    assert!(!is_early_nomination_answered(20), "no more are kept than a peer has addresses");
}

#[test]
fn garbage_during_a_conversation_changes_nothing() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let mut random = 1_u64;
    for round in 0..20_000_u64 {
        let length = (round % 200) as usize;
        let bytes: BytesMut = (0..length)
            .map(|_| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                random.to_be_bytes()[0]
            })
            .collect();
        // From the peer's own address, and from a stranger's.
        let remote = if round % 2 == 0 { address } else { offerer_address(999) };
        world.deliver(remote, bytes);
    }
    world.run(SECOND);
    assert!(!world.from_server.contains(&offerer_address(999)));
    let now = world.now;
    world.offerer(address).send(now, crate::channel::Message::Text("still here".to_owned()));
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();
    assert!(world.run_until(SECOND, |_| channel.next().now_or_never().is_some()));
}

#[test]
fn an_address_that_never_answers_draws_no_more_than_three_times_what_came_from_it() {
    let mut world = World::new(MS);
    let (offer, answer) = negotiated(&mut world);
    let check = check(&answer, &offer, attribute(&answer, "ice-pwd"), true);
    world.deliver(offerer_address(1), BytesMut::from(&check.raw[..]));
    let mut sent = 0;
    for _ in 0..1000 {
        world.now += 10 * MS;
        sent += world.flush().iter().map(|datagram| datagram.bytes.len()).sum::<usize>();
    }
    assert!(sent > 0);
    assert!(sent <= 3 * check.raw.len(), "{sent} bytes for {}", check.raw.len());
}

#[test]
fn checks_from_very_many_addresses_reach_the_protocol_core_from_a_few_only() {
    let mut world = World::new(MS);
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    let answered = world.answer(&offer);
    let (id, answer) = (answered.id, answered.sdp);
    for number in 0..1000 {
        let check = check(&answer, &offer, attribute(&answer, "ice-pwd"), false);
        world.deliver(offerer_address(number), BytesMut::from(&check.raw[..]));
        world.settle();
    }
    let reached =
        |world: &World| world.from_server.iter().copied().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(reached(&world), 32);

    // A restart with the same credentials is none, and makes room for no more.
    world.restart_ice(id, attribute(&offer, "ice-ufrag"), attribute(&offer, "ice-pwd"));
    for number in 1000..1100 {
        let check = check(&answer, &offer, attribute(&answer, "ice-pwd"), false);
        world.deliver(offerer_address(number), BytesMut::from(&check.raw[..]));
        world.settle();
    }
    assert_eq!(reached(&world), 32);
}

#[test]
fn a_session_does_not_take_over_the_path_of_a_peer_that_is_there() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let mut channel = session.accept_channel().now_or_never().unwrap().unwrap();

    // Another session's check, with the address of the first one's peer as its forged source.
    let offer = Offerer::new(world.now, offerer_address(1), "x").offer();
    let answer = world.answer(&offer).sdp;
    let check = check(&answer, &offer, attribute(&answer, "ice-pwd"), false);
    world.deliver(address, BytesMut::from(&check.raw[..]));
    world.run(100 * MS);

    let now = world.now;
    world.offerer(address).send(now, crate::channel::Message::Text("mine".to_owned()));
    assert!(world.run_until(SECOND, |_| channel.next().now_or_never().is_some()));
}

#[test]
fn forged_icmp_errors_do_not_end_an_idle_session() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    for _ in 0..300 {
        world.unreachable(address);
        world.run(20 * MS);
    }
    assert_eq!(session.closed().now_or_never(), None);
}

#[test]
fn a_peer_that_opens_channels_without_end_is_ended() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    for _ in 0..100 {
        let label = "l".repeat(8000);
        world.offerer(address).open(&label);
        world.run(50 * MS);
        // The handler takes them and lets them go.
        while let Some(Some(channel)) = session.accept_channel().now_or_never() {
            drop(channel);
        }
    }
    assert_eq!(session.closed().now_or_never(), Some(crate::session::Closed::TooManyChannels));
    assert_eq!(world.residue(), 0);
}
