use bytes::Bytes;
use std::future::poll_fn;

use futures_util::FutureExt;
use hola_webrtc_protocol::SessionId;

use super::*;
use crate::engine::Bells;

const LIMIT: usize = 128 * 1024;
const KIB: Bytes = Bytes::from_static(&[0; 1024]);

fn pipe() -> Pipe {
    Pipe::new(Arc::new(Doorbell::detached()), Arc::new(Share::new(LIMIT)), 64 * 1024)
}

#[test]
fn a_handler_that_does_not_read_stops_the_engine_within_the_limit() {
    let pipe = pipe();
    let mut delivered = 0;
    while pipe.has_room() {
        pipe.deliver(Message::Binary(KIB));
        delivered += 1;
    }
    assert_eq!(delivered, LIMIT.div_ceil(1024 + MESSAGE_COST));

    let received = poll_fn(|context| pipe.poll_receive(context)).now_or_never();
    assert_eq!(received, Some(Some(Message::Binary(KIB))));
    assert!(pipe.has_room());
}

#[test]
fn the_engine_hears_once_when_a_full_queue_has_room_again() {
    let bells = Arc::<Bells>::default();
    let doorbell = Doorbell::new(SessionId::from_bytes([1; 16]));
    doorbell.hang_up(bells.clone());
    let pipe = Pipe::new(Arc::new(doorbell), Arc::new(Share::new(LIMIT)), 64 * 1024);
    let receive = || poll_fn(|context| pipe.poll_receive(context)).now_or_never();
    pipe.deliver(Message::Binary(KIB));
    receive();
    assert!(bells.take().is_empty(), "there was room all along");

    while pipe.has_room() {
        pipe.deliver(Message::Binary(KIB));
    }
    receive();
    receive();
    assert_eq!(bells.take().len(), 1);
}

#[test]
fn empty_messages_fill_the_queue_too() {
    let pipe = pipe();
    let mut sent = 0;
    while poll_fn(|context| pipe.poll_ready(context)).now_or_never().is_some() {
        pipe.send(Message::Text(String::new())).unwrap();
        sent += 1;
    }
    assert_eq!(sent, LIMIT / MESSAGE_COST);

    assert!(pipe.take().is_some());
    assert_eq!(poll_fn(|context| pipe.poll_ready(context)).now_or_never(), Some(Ok(())));
    assert_eq!(poll_fn(|context| pipe.poll_flush(context)).now_or_never(), None);
}

#[test]
fn a_message_above_the_peers_maximum_is_refused_and_names_both_sizes() {
    let error = pipe().send(Message::Binary(vec![0; 65_537].into())).unwrap_err();
    assert_eq!(error.to_string(), "the message has 65537 bytes, and the peer takes at most 65536");
}

#[test]
fn what_arrived_before_the_close_is_still_read() {
    let pipe = pipe();
    pipe.deliver(Message::Text("last".to_owned()));
    pipe.close();
    let next = || poll_fn(|context| pipe.poll_receive(context)).now_or_never();
    assert_eq!(next(), Some(Some(Message::Text("last".to_owned()))));
    assert_eq!(next(), Some(None));
    assert_eq!(pipe.send(Message::Text(String::new())), Err(SendError::Closed));
}

#[test]
fn a_flush_tells_whether_everything_was_taken_before_the_close() {
    let flush = |pipe: &Pipe| poll_fn(|context| pipe.poll_flush(context)).now_or_never();
    let (lucky, cut) = (pipe(), pipe());
    for pipe in [&lucky, &cut] {
        pipe.send(Message::Binary(KIB)).unwrap();
        assert_eq!(flush(pipe), None);
    }
    lucky.take();
    lucky.close();
    cut.close();
    assert_eq!(flush(&lucky), Some(Ok(())));
    assert_eq!(flush(&cut), Some(Err(SendError::Closed)));
}

#[test]
fn a_channel_is_finished_once_what_it_sent_has_been_taken() {
    let pipe = pipe();
    pipe.send(Message::Text("bye".to_owned())).unwrap();
    pipe.leave();
    assert!(!pipe.is_finished());
    assert_eq!(pipe.take(), Some(Message::Text("bye".to_owned())));
    assert!(pipe.is_finished());
}
