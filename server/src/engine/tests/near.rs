//! How much is on its way at once.

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};

use super::{greedy::channel_of, *};
use crate::channel::Message;

const MICROSECOND: Duration = Duration::from_micros(1);

/// The most bytes that are on their way to a peer while it is sent several MB, with such a delay. A server that is swift acts on
/// each datagram.
fn most_in_flight(delay: Duration, is_swift: bool) -> usize {
    const MESSAGES: usize = 200;
    let mut world = World::new(delay);
    world.is_swift = is_swift;
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    let message = Message::Binary(Bytes::from_static(&[7; 16 * 1024]));
    let (mut fed, mut most) = (0, 0);
    let arrived = world.run_until(30 * SECOND, |world| {
        while fed < MESSAGES && channel.feed(message.clone()).now_or_never().is_some() {
            fed += 1;
        }
        let to_offerer = world.in_flight.values().map(|datagram| match datagram {
            InFlight::ToOfferer(_, bytes) => bytes.len(),
            InFlight::ToServer(..) => 0,
        });
        most = most.max(to_offerer.sum());
        world.offerer(address).received.len() == MESSAGES
    });
    assert!(arrived, "{} of {MESSAGES}", world.offerer(address).received.len());
    most
}

#[test]
fn no_more_is_on_its_way_to_a_peer_nearby_than_its_socket_holds() {
    for is_swift in [false, true] {
        let near = most_in_flight(100 * MICROSECOND, is_swift);
        assert!((32 * 1024..80 * 1024).contains(&near), "{near}");
        let far = most_in_flight(5 * MS, is_swift);
        assert!(far > 200 * 1024, "{far}");
    }
}

/// The most bytes that are on their way from a peer while it sends several MB, with such a delay. A server that is swift acts on
/// each datagram.
fn most_from_peer(delay: Duration, is_swift: bool) -> usize {
    const MESSAGES: usize = 200;
    let mut world = World::new(delay);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    world.is_swift = is_swift;
    let now = world.now;
    for _ in 0..MESSAGES {
        world.offerer(address).send(now, Message::Binary(Bytes::from_static(&[7; 16 * 1024])));
    }
    let (mut heard, mut most) = (0, 0);
    let arrived = world.run_until(30 * SECOND, |world| {
        while channel.next().now_or_never().flatten().is_some() {
            heard += 1;
        }
        let to_server = world.in_flight.values().map(|datagram| match datagram {
            InFlight::ToServer(_, bytes) => bytes.len(),
            InFlight::ToOfferer(..) => 0,
        });
        most = most.max(to_server.sum());
        heard == MESSAGES
    });
    assert!(arrived, "{heard} of {MESSAGES}");
    most
}

#[test]
fn a_peer_nearby_has_no_more_on_its_way_than_draws_a_few_acknowledgements() {
    let each_by_itself = most_from_peer(100 * MICROSECOND, true);
    assert!((32 * 1024..80 * 1024).contains(&each_by_itself), "{each_by_itself}");
    let many_at_once = most_from_peer(100 * MICROSECOND, false);
    assert!(many_at_once > 200 * 1024, "{many_at_once}");
    let far = most_from_peer(5 * MS, true);
    assert!(far > 200 * 1024, "{far}");
}
