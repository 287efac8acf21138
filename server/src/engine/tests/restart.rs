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
