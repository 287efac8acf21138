//! What SCTP holds while nothing goes on above it.

use futures_util::{FutureExt, SinkExt, StreamExt};

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

#[test]
fn an_echo_to_who_does_not_read_fills_every_buffer_and_no_more() {
    const SIZE: usize = 16 * 1024;
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let mut channel = channel_of(&mut session);
    world.offerer(address).is_deaf = true;
    let now = world.now;
    for _ in 0..1024 {
        world.offerer(address).send(now, Message::Binary(vec![0; SIZE].into()));
    }
    let (mut waiting, mut most) = (None, 0);
    world.run_until(30 * SECOND, |world| {
        while let Some(message) = waiting.take().or_else(|| channel.next().now_or_never().flatten()) {
            if channel.feed(Message::clone(&message)).now_or_never().is_none() {
                waiting = Some(message);
                break;
            }
        }
        most = most.max(world.registry.buffered());
        false
    });
    // With one channel the two queues between SCTP and the handler are short.
    let bound = LIMITS.most_of_session();
    assert!((bound / 2..bound).contains(&most), "{most} of {bound}");
}
