//! What SCTP holds while nothing goes on above it.

use futures_util::{FutureExt, StreamExt};

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

#[test]
fn very_many_small_messages_wait_while_nobody_reads_and_come_soon_once_somebody_does() {
    const MESSAGES: u32 = 20_000;
    for delay in [MS / 10, 20 * MS] {
        let mut world = World::new(delay);
        let (address, mut session) = world.connect(0, "x");
        let mut channel = channel_of(&mut session);
        let now = world.now;
        for number in 0..MESSAGES {
            world.offerer(address).send(now, Message::Text(format!("{number:020}")));
        }
        world.run(MINUTE);
        let before = world.now;
        let mut heard = 0;
        let all_came = world.run_until(MINUTE, |_| {
            while let Some(Some(message)) = channel.next().now_or_never() {
                assert_eq!(message, Message::Text(format!("{heard:020}")));
                heard += 1;
            }
            heard == MESSAGES
        });
        let took = world.now - before;
        assert!(all_came && took < SECOND, "{heard} messages in {took:?}, {delay:?} away");
    }
}
