//! What SCTP holds while nothing goes on above it.

use super::{greedy::channel_of, *};
use crate::channel::Message;

#[test]
fn what_comes_during_a_restart_that_is_never_completed_is_counted() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let _channel = channel_of(&mut session);
    world.restart_ice(session.id(), "another", "another-password-of-the-peer");
    let before = world.registry.buffered();
    let now = world.now;
    for _ in 0..64 {
        world.offerer(address).send(now, Message::Text("x".repeat(16_000)));
    }
    let is_counted = world.run_until(5 * SECOND, |world| world.registry.buffered() >= before + 500_000);
    assert!(is_counted, "{} after {before}", world.registry.buffered());
}
