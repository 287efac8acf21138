//! How much is on its way at once.

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};

use super::{greedy::channel_of, *};
use crate::channel::Message;

const MICROSECOND: Duration = Duration::from_micros(1);

/// The most bytes that are on their way to a peer while it is sent several MB, with such a delay.
fn most_in_flight(delay: Duration) -> usize {
    const MESSAGES: usize = 200;
    let mut world = World::new(delay);
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
    let near = most_in_flight(100 * MICROSECOND);
    assert!((32 * 1024..80 * 1024).contains(&near), "{near}");
    let far = most_in_flight(5 * MS);
    assert!(far > 200 * 1024, "{far}");
}
