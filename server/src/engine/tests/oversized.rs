//! Peers that send larger messages than the answer lets them, or what makes up none.

use futures_util::{FutureExt, StreamExt};
use hola_webrtc_protocol::TraceData;

use super::{
    greedy::{assert_lives, channel_of},
    *,
};
use crate::{
    channel::{Channel, Message},
    engine::registry::Resident,
};

/// A peer that sends larger messages than the answer lets it.
fn connect_liar(world: &mut World) -> (SocketAddr, Session) {
    let address = offerer_address(0);
    let mut offerer = Offerer::with_max_message_size(world.now, address, "x", 16_000_000);
    let answered = world.answer(&offerer.offer());
    let lie = answered.sdp.replace("a=max-message-size:65536", "a=max-message-size:100000000");
    offerer.accept_answer(world.now, &lie);
    world.offerers.insert(address, offerer);
    let opened =
        world.run_until(5 * SECOND, |world| !world.sessions.is_empty() && world.offerer(address).is_open());
    assert!(opened, "the channel does not open");
    (address, world.sessions.remove(0))
}

/// Another channel of this offerer's session.
fn another_channel(world: &mut World, address: SocketAddr, session: &mut Session) -> Channel {
    world.offerer(address).open("another");
    let mut channel = None;
    world.run_until(SECOND, |_| {
        channel = channel.take().or_else(|| session.accept_channel().now_or_never().flatten());
        channel.is_some()
    });
    channel.unwrap()
}

#[test]
fn a_message_above_the_maximum_closes_its_channel_and_harms_nobody_else() {
    for size in [65_537, 200_000] {
        let mut world = World::new(MS);
        let (other, mut others) = world.connect(1, "x");
        let mut other_channel = channel_of(&mut others);
        let (address, mut session) = connect_liar(&mut world);
        let resident = world.registry.resident(session.id()).unwrap();
        let mut channel = channel_of(&mut session);
        let another = another_channel(&mut world, address, &mut session);

        let now = world.now;
        world.offerer(address).send(now, Message::Binary(vec![7; size].into()));
        world.run(5 * SECOND);
        assert_eq!(world.registry.buffered(), 0);
        assert_eq!(channel.next().now_or_never(), Some(None), "the channel ends, and hands nothing over");
        assert_eq!(world.offerer(address).channel_state(), None, "its peer is told");
        assert_eq!(closed_channels(&resident), ["too-large"]);
        assert_eq!(session.closed().now_or_never(), None, "the session's other channels go on");
        assert_lives(&mut world, other, &mut other_channel);
        drop(another);
    }
}

/// Why channels of the session were closed, as its events tell.
fn closed_channels(resident: &Resident) -> Vec<String> {
    let journal = &resident.link.journal;
    let mut reader = journal.read(0, 9).unwrap();
    let events = std::iter::from_fn(|| reader.next(journal).now_or_never().flatten());
    let reasons = events.filter_map(|event| match event.event.data {
        TraceData::ChannelClosed { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.collect()
}

/// What came to the server in datagrams, in bytes.
fn received_bytes(world: &World) -> usize {
    let metrics = world.registry.metrics().encode();
    let received = r#"hola_webrtc_datagram_bytes_total{direction="in"} "#;
    metrics.lines().find_map(|line| line.strip_prefix(received)).unwrap().parse().unwrap()
}

#[test]
fn who_sends_nothing_but_too_large_messages_is_rid_of_its_channel_before_it_has_sent_much() {
    let mut world = World::new(MS);
    let (other, mut others) = world.connect(1, "x");
    let mut other_channel = channel_of(&mut others);
    let (address, session) = connect_liar(&mut world);
    let resident = world.registry.resident(session.id()).unwrap();
    let now = world.now;
    for _ in 0..60 {
        world.offerer(address).send(now, Message::Binary(vec![7; 250_000].into()));
    }
    assert!(world.run_until(60 * SECOND, |_| session.closed().now_or_never().is_some()));
    assert_eq!(closed_channels(&resident), ["too-large"]);
    let received = received_bytes(&world);
    assert!(received < 6_000_000, "{received}");
    assert_lives(&mut world, other, &mut other_channel);
}
