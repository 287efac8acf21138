//! Channels that come and go.

use futures_util::{FutureExt, StreamExt};

use super::{greedy::channel_of, *};
use crate::{channel::Message, session::ChannelOptions};

#[test]
fn ten_thousand_channels_one_after_another_are_opened_and_closed_in_one_session() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let _first = channel_of(&mut session);
    for number in 0..10_000 {
        world.offerer(address).open("");
        let mut opened = None;
        world.run_until(SECOND, |_| {
            opened = opened.take().or_else(|| session.accept_channel().now_or_never().flatten());
            opened.is_some()
        });
        assert!(
            opened.take().is_some(),
            "channel {number} does not open: {:?}",
            session.closed().now_or_never()
        );
        // So many a second that they are not too fast.
        world.run(20 * MS);
    }
    assert_eq!(session.closed().now_or_never(), None);
}

#[test]
fn ten_thousand_channels_that_the_client_closes_pass_through_one_session() {
    let mut world = World::new(MS);
    let (address, mut session) = world.connect(0, "x");
    let _first = channel_of(&mut session);
    for number in 0..10_000 {
        let id = world.offerer(address).open("");
        let mut opened = None;
        world.run_until(SECOND, |_| {
            opened = opened.take().or_else(|| session.accept_channel().now_or_never().flatten());
            opened.is_some()
        });
        let mut channel = opened.unwrap_or_else(|| panic!("channel {number} does not open"));
        // The client may send and close once it knows that the channel is open.
        world.run(10 * MS);
        let (now, text) = (world.now, number.to_string());
        world.offerer(address).send_on(now, id, &text);
        // `rtc` sends what a channel is closed with before what was sent on it, if it can.
        world.run(MS);
        world.offerer(address).close_stream(id);
        let mut received = Vec::new();
        world.run_until(SECOND, |_| {
            received.extend(channel.next().now_or_never());
            received.len() == 2
        });
        assert_eq!(received, [Some(Message::Text(text)), None], "channel {number}");
        // So many a second that they are not too fast.
        world.run(10 * MS);
    }
    assert_eq!(session.closed().now_or_never(), None);
}

#[test]
fn what_a_client_sends_on_a_negotiated_channel_before_the_handler_creates_it_arrives() {
    let mut world = World::new(MS);
    let (address, session) = world.connect(0, "x");
    let id = world.offerer(address).occupy(9);
    world.run(10 * MS);
    let now = world.now;
    for text in ["one", "two"] {
        world.offerer(address).send_on(now, id, text);
    }
    world.run(SECOND);
    assert!(world.registry.buffered() > 0, "it counts as the session's");

    let negotiated = ChannelOptions { negotiated: Some(9), ..ChannelOptions::default() };
    let mut opening = Box::pin(session.open_channel("n", negotiated));
    let mut opened = None;
    assert!(world.run_until(SECOND, |_| {
        opened = opened.take().or_else(|| (&mut opening).now_or_never());
        opened.is_some()
    }));
    let mut channel = opened.unwrap().unwrap();
    let now = world.now;
    world.offerer(address).send_on(now, id, "three");
    let mut received = Vec::new();
    world.run_until(SECOND, |_| {
        received.extend(channel.next().now_or_never().flatten());
        received.len() == 3
    });
    assert_eq!(received, ["one", "two", "three"].map(|text| Message::Text(text.to_owned())));
}
