//! Two sides of a channel that speak the framing, over a connection that breaks.

mod talk;

use hola_webrtc_protocol::framing::{
    Ended, FRAME_COST, Info, MAX_PAYLOAD, MIN_WINDOW, Read, State, Transfer, Unsendable,
};
use talk::{LIMITS, Side, Talk};

#[test]
fn messages_of_any_size_and_kind_arrive_as_they_were_sent() {
    for mut talk in [Talk::framed(), Talk::resumable()] {
        talk.connect();
        for size in [0, 1, MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 5 * MAX_PAYLOAD, 1_000_000] {
            let data = talk::bytes(size);
            talk.opener.send(false, &data);
            talk.opener.send(true, "ñ".repeat(size / 2).as_bytes());
            talk.run();
            assert!(talk.acceptor.receive() == Some((false, data)), "{size}");
            talk.settle();
            assert!(talk.acceptor.receive() == Some((true, "ñ".repeat(size / 2).into_bytes())), "{size}");
            talk.settle();
        }
        assert_eq!(talk.acceptor.receive(), None);
    }
}

#[test]
fn a_message_beyond_the_far_sides_maximum_is_refused_before_it_is_sent() {
    let mut talk = Talk::framed();
    assert_eq!(talk.opener.framing.send(true, b"early"), Err(Unsendable::NotOpen));
    talk.connect();
    let large = talk::bytes(LIMITS.max_message as usize + 1);
    assert_eq!(talk.opener.framing.send(false, &large), Err(Unsendable::TooLarge(LIMITS.max_message)));
}

#[test]
fn what_nobody_reads_is_bounded_by_the_window_and_goes_on_when_it_is_read() {
    let mut talk = Talk::framed();
    talk.connect();
    let message = talk::bytes(1000);
    let messages = 3 * MIN_WINDOW as usize / message.len();
    for _ in 0..messages {
        talk.opener.send(false, &message);
    }
    talk.run();
    assert!(talk.acceptor.framing.held() <= MIN_WINDOW as usize);
    assert!(talk.opener.framing.buffered() > MIN_WINDOW as usize);
    for _ in 0..messages {
        assert_eq!(talk.acceptor.receive(), Some((false, message.clone())));
        talk.run();
    }
    assert_eq!(talk.opener.framing.buffered(), 0);
}

#[test]
fn transfers_arrive_whole_beside_messages_and_neither_waits_for_the_other() {
    let mut talk = Talk::framed();
    talk.connect();
    let data = talk::bytes(10 * MAX_PAYLOAD + 7);
    let info = Info { total: Some(data.len() as u64), name: "año.bin".to_owned(), kind: "a/b".to_owned() };
    let keys = [talk.opener.framing.start(&info).unwrap(), talk.opener.framing.start(&info).unwrap()];
    for key in keys {
        talk.opener.framing.write(key, &data);
        talk.opener.framing.finish(key);
    }
    talk.opener.send(true, b"in between");
    // The STARTs, the message, then a chunk of each in turn.
    let kinds: Vec<u8> =
        (0..9).map(|_| talk.opener.framing.transmit(0).map(|frame| talk.carry(&frame)).unwrap()).collect();
    assert_eq!(kinds, [0x15, 0x15, 0x11, 0x16, 0x16, 0x16, 0x16, 0x16, 0x16]);
    let mut received = [Vec::new(), Vec::new()];
    let accepted = [talk.acceptor.framing.accept().unwrap(), talk.acceptor.framing.accept().unwrap()];
    assert_eq!(accepted[0].1, info);
    loop {
        talk.run();
        let mut ended = 0;
        for ((key, _), received) in accepted.iter().zip(&mut received) {
            match talk.acceptor.framing.read(*key) {
                Some(Read::Chunk(chunk)) => received.extend(chunk),
                Some(Read::End) | None => ended += 1,
                Some(Read::Failed(reason)) => panic!("{reason}"),
            }
        }
        if ended == 2 {
            break;
        }
    }
    talk.run();
    assert!(received.iter().all(|received| *received == data));
    for key in keys {
        assert_eq!(talk.opener.framing.transfer(key), Some(Transfer::Delivered));
        talk.opener.framing.forget(key);
        assert_eq!(talk.opener.framing.transfer(key), None);
    }
    assert_eq!(talk.acceptor.receive(), Some((true, b"in between".to_vec())));
    assert_eq!((talk.opener.framing.held(), talk.acceptor.framing.held()), (0, 0));
}

#[test]
fn a_transfer_that_nobody_reads_holds_the_window_and_a_frame_at_most() {
    let mut talk = Talk::framed();
    talk.connect();
    let key = talk.opener.framing.start(&Info::default()).unwrap();
    let data = talk::bytes(MAX_PAYLOAD);
    let mut written = 0;
    loop {
        match talk.opener.framing.transfer(key) {
            Some(Transfer::Sending { has_room: true, .. }) => {
                talk.opener.framing.write(key, &data);
                written += data.len();
            }
            Some(Transfer::Sending { has_room: false, sent }) => {
                talk.run();
                if sent == talk.opener.sent(key) {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(talk.acceptor.framing.held() <= MIN_WINDOW as usize);
    assert!(written <= MIN_WINDOW as usize + 5 * (MAX_PAYLOAD + FRAME_COST), "{written}");
}

#[test]
fn either_side_gives_a_transfer_up_with_a_reason_and_the_channel_goes_on() {
    for mut talk in [Talk::framed(), Talk::resumable()] {
        talk.connect();
        let keys: Vec<_> = (0..3).map(|_| talk.opener.framing.start(&Info::default()).unwrap()).collect();
        for key in &keys {
            talk.opener.framing.write(*key, &talk::bytes(100));
        }
        talk.run();
        let (taken, _) = talk.acceptor.framing.accept().unwrap();
        talk.acceptor.framing.stop(taken, "no room");
        let (reset, _) = talk.acceptor.framing.accept().unwrap();
        talk.opener.framing.reset(keys[1], "changed my mind");
        // The third one is given up before anybody has taken it.
        talk.opener.framing.reset(keys[2], "nor this");
        talk.run();
        assert_eq!(talk.opener.framing.transfer(keys[0]), Some(Transfer::Failed("no room".to_owned())));
        assert_eq!(talk.acceptor.framing.read(reset), Some(Read::Failed("changed my mind".to_owned())));
        assert_eq!(talk.acceptor.framing.read(taken), None);
        assert_eq!(talk.acceptor.framing.accept(), None);
        talk.run();
        for key in keys {
            talk.opener.framing.forget(key);
        }
        // Every place is free again.
        for _ in 0..LIMITS.max_transfers {
            assert!(talk.opener.framing.start(&Info::default()).is_some());
        }
        assert_eq!(talk.opener.framing.start(&Info::default()), None);
        talk.run();
        assert_eq!(
            (talk.opener.framing.state(), talk.acceptor.framing.state()),
            (&State::Open, &State::Open)
        );
    }
}

#[test]
fn a_channel_that_is_closed_delivers_everything_first() {
    for mut talk in [Talk::framed(), Talk::resumable()] {
        talk.connect();
        let data = talk::bytes(MIN_WINDOW as usize * 2);
        talk.opener.send(false, &data);
        talk.opener.framing.close();
        assert_eq!(talk.opener.framing.send(true, b"late"), Err(Unsendable::NotOpen));
        talk.settle();
        assert_eq!(talk.opener.framing.state(), &State::Ended(Ended::Closed));
        let by_remote = Ended::ByRemote { code: 0, reason: String::new() };
        assert_eq!(talk.acceptor.framing.state(), &State::Ended(by_remote));
        assert_eq!(talk.acceptor.receive(), Some((false, data)));
        assert!(talk.opener.framing.take_undelivered().is_empty());
    }
}

#[test]
fn a_resumed_channel_goes_on_where_it_was_cut() {
    let mut talk = Talk::resumable();
    talk.connect();
    let large = talk::bytes(6 * MAX_PAYLOAD);
    for number in 0..100_u32 {
        talk.opener.send(false, &number.to_be_bytes());
        talk.acceptor.send(false, &number.to_be_bytes());
    }
    let key = talk.opener.framing.start(&Info::default()).unwrap();
    talk.opener.framing.write(key, &large);
    talk.opener.framing.finish(key);
    // Every frame that is under way when the connection breaks is lost.
    for _ in 0..400 {
        talk.steps(3);
        talk.cut();
        talk.connect();
    }
    talk.settle();
    for number in 0..100_u32 {
        let expected = Some((false, number.to_be_bytes().to_vec()));
        assert_eq!((talk.opener.receive(), talk.acceptor.receive()), (expected.clone(), expected));
    }
    assert_eq!((talk.opener.receive(), talk.acceptor.receive()), (None, None));
    let (key_there, _) = talk.acceptor.framing.accept().unwrap();
    assert_eq!(talk.drain(key_there), (large, Read::End));
    talk.settle();
    assert_eq!(talk.opener.framing.transfer(key), Some(Transfer::Delivered));
}

#[test]
fn what_is_not_acknowledged_stops_the_sender_and_an_acknowledgement_lets_it_go_on() {
    let mut talk = Talk::resumable();
    talk.connect();
    let message = talk::bytes(4000);
    for _ in 0..100 {
        talk.opener.send(false, &message);
    }
    // Nothing comes back: it leaves what may be unacknowledged, and the credit is larger.
    let mut left = 0;
    while let Some(frame) = talk.opener.framing.transmit(0) {
        left += frame.len();
    }
    assert!((LIMITS.resend..=LIMITS.resend + MAX_PAYLOAD).contains(&left), "{left}");
    talk.cut();
    talk.connect();
    for _ in 0..100 {
        talk.settle();
        assert_eq!(talk.acceptor.receive(), Some((false, message.clone())));
    }
    talk.settle();
    assert!(talk.opener.framing.is_delivered());
}

#[test]
fn an_acknowledgement_leaves_after_a_delay_if_nothing_else_does() {
    let mut talk = Talk::resumable();
    talk.connect();
    talk.opener.send(true, b"hello");
    talk.run();
    assert!(!talk.opener.framing.is_delivered());
    assert_eq!(talk.acceptor.framing.transmit(0), None);
    let due = talk.acceptor.framing.due().unwrap();
    assert!(due > 0);
    assert!(talk.acceptor.framing.transmit(due).is_some_and(|frame| frame == [4, 0, 0, 0, 1]));
    assert_eq!(talk.acceptor.framing.due(), None);
}

#[test]
fn when_the_far_side_has_forgotten_everything_each_message_is_told_once() {
    let mut talk = Talk::resumable();
    talk.connect();
    talk.opener.send(true, b"arrived");
    talk.settle();
    talk.opener.send(true, b"under way");
    let large = talk::bytes(3 * MAX_PAYLOAD);
    talk.opener.send(false, &large);
    let transfer = talk.opener.framing.start(&Info::default()).unwrap();
    let sent = (0..3).map(|_| talk.opener.framing.transmit(0).unwrap()).count();
    assert_eq!(sent, 3);
    talk.opener.send(true, b"not sent yet");
    talk.cut();
    talk.forget_acceptor();
    talk.connect();
    talk.settle();
    let undelivered = talk.opener.framing.take_undelivered();
    let told: Vec<_> = undelivered.iter().map(|it| (it.text, it.data.clone(), it.is_whole)).collect();
    assert_eq!(told, [(true, b"under way".to_vec(), true), (false, large, true)]);
    assert_eq!(
        talk.opener.framing.transfer(transfer),
        Some(Transfer::Failed("the channel has ended".to_owned()))
    );
    assert_eq!(talk.acceptor.receive(), Some((true, b"not sent yet".to_vec())));
    assert_eq!(talk.acceptor.receive(), None);
    assert!(talk.opener.framing.take_undelivered().is_empty());
}

#[test]
fn a_message_whose_beginning_had_arrived_is_told_as_a_part() {
    let mut talk = Talk::resumable();
    talk.connect();
    let large = talk::bytes(3 * MAX_PAYLOAD);
    talk.opener.send(false, &large);
    talk.steps(1);
    talk.opener.framing.handle(0, &[4, 0, 0, 0, 1], &mut |_| Vec::new()).unwrap();
    talk.cut();
    talk.opener.framing.give_up();
    let [undelivered] = talk.opener.framing.take_undelivered().try_into().unwrap();
    assert_eq!((undelivered.data.as_slice(), undelivered.is_whole), (&large[MAX_PAYLOAD..], false));
    assert_eq!(talk.opener.framing.state(), &State::Ended(Ended::Lost));
}

#[test]
fn a_channel_whose_acceptance_was_lost_opens_with_the_next_connection() {
    let mut talk = Talk::resumable();
    talk.attach();
    talk.steps(1);
    talk.acceptor.framing.send(true, b"from the acceptor").unwrap();
    talk.cut();
    talk.connect();
    talk.opener.send(true, b"from the opener");
    talk.settle();
    assert_eq!(talk.opener.receive(), Some((true, b"from the acceptor".to_vec())));
    assert_eq!(talk.acceptor.receive(), Some((true, b"from the opener".to_vec())));
}

#[test]
fn a_channel_that_cannot_be_resumed_begins_anew_and_tells_what_never_left() {
    let mut talk = Talk::framed();
    talk.connect();
    talk.opener.send(true, b"arrives");
    talk.run();
    talk.cut();
    talk.opener.send(true, b"waits");
    talk.acceptor = Side::acceptor(false);
    talk.connect();
    talk.run();
    assert_eq!(talk.acceptor.receive(), Some((true, b"waits".to_vec())));
    talk.opener.framing.give_up();
    talk.cut();
    assert!(talk.opener.framing.take_undelivered().is_empty());
}
