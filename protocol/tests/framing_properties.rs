//! What is written is read back; what is sent arrives once and in order, however often the connection breaks.

mod talk;

use std::collections::VecDeque;

use hola_webrtc_protocol::framing::{Frame, Header, Hello, Info, Read, Resume, ResumeId, State, Transfer};
use proptest::{collection::vec, option, prelude::*};
use talk::{Side, Talk};

#[derive(Clone, Debug)]
enum Act {
    Send { by_opener: bool, size: usize },
    Receive { by_opener: bool },
    Transfer { size: usize },
    Steps(usize),
    Cut,
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<bool>(), prop_oneof![0..64_usize, 16_000..70_000_usize])
            .prop_map(|(by_opener, size)| Act::Send { by_opener, size }),
        4 => any::<bool>().prop_map(|by_opener| Act::Receive { by_opener }),
        1 => (0..100_000_usize).prop_map(|size| Act::Transfer { size }),
        6 => (0..20_usize).prop_map(Act::Steps),
        2 => Just(Act::Cut),
        1 => Just(Act::Wait),
    ]
}

/// Messages in one direction: those sent that have not been read.
#[derive(Default)]
struct Expected(VecDeque<Vec<u8>>);

impl Expected {
    fn read(&mut self, side: &mut Side) {
        while let Some((_, data)) = side.receive() {
            assert!(self.0.pop_front() == Some(data), "lost, repeated or out of order");
        }
    }
}

fn hello() -> impl Strategy<Value = Hello> {
    let resume = (any::<[u8; 16]>(), any::<bool>(), any::<u32>())
        .prop_map(|(id, resumes, received)| Resume { id: ResumeId(id), resumes, received });
    (any::<u8>(), any::<u32>(), any::<u32>(), any::<u16>(), option::of(resume)).prop_map(
        |(version, window, max_message, max_transfers, resume)| Hello {
            version,
            window,
            max_message,
            max_transfers,
            resume,
        },
    )
}

fn assert_read_back(frame: &Frame<'_>, header: Option<Header>) {
    let expected = header.filter(|_| frame.is_numbered());
    assert_eq!(Frame::decode(&frame.encode(header), header.is_some()), Ok((expected, frame.clone())));
}

proptest! {
    #[test]
    fn frames_are_read_back(
        (sequence, received) in any::<(u32, u32)>(),
        (transfer, limit, checksum) in any::<(u32, u64, u32)>(),
        (text, more) in any::<(bool, bool)>(),
        total in option::of(0..u64::MAX),
        payload in vec(any::<u8>(), 0..300),
        (name, kind, reason) in ("\\PC{0,200}", "[ -~]{0,200}", "\\PC{0,60}"),
    ) {
        let (payload, name, kind, reason) = (payload.as_slice(), name.as_str(), kind.as_str(), reason.as_str());
        for header in [None, Some(Header { sequence, received })] {
            for frame in [
                Frame::End { code: 3, reason },
                Frame::Message { text, more, payload },
                Frame::Credit { transfer, limit },
                Frame::Start { transfer, total, name, kind },
                Frame::Chunk { transfer, payload },
                Frame::Finish { transfer, length: limit, checksum },
                Frame::Reset { transfer, reason },
                Frame::Stop { transfer, reason },
                Frame::Done { transfer },
            ] {
                assert_read_back(&frame, header);
            }
        }
        assert_read_back(&Frame::Ack { received }, Some(Header::default()));
    }

    #[test]
    fn beginnings_are_read_back(hello in hello()) {
        let header = hello.resume.is_some().then(Header::default);
        assert_read_back(&Frame::Open(hello.clone()), header);
        assert_read_back(&Frame::Accept(hello), header);
    }

    #[test]
    fn what_is_read_at_all_is_read_again_as_it_is_written(bytes in vec(any::<u8>(), 0..64), is_resumable: bool) {
        if let Ok((header, frame)) = Frame::decode(&bytes, is_resumable) {
            let written = frame.encode(header.or(is_resumable.then(Header::default)));
            prop_assert_eq!(Frame::decode(&written, is_resumable), Ok((header, frame)));
        }
    }

    #[test]
    fn everything_arrives_once_and_in_order_however_the_connection_breaks(acts in vec(act(), 1..80)) {
        let mut talk = Talk::resumable();
        talk.connect();
        let (mut to_opener, mut to_acceptor) = (Expected::default(), Expected::default());
        let mut transfers = Vec::new();
        let mut number = 0_u32;
        for act in acts {
            match act {
                Act::Send { by_opener, size } => {
                    number += 1;
                    let data = [&number.to_be_bytes()[..], &talk::bytes(size)].concat();
                    let (side, expected) = if by_opener {
                        (&mut talk.opener, &mut to_acceptor)
                    } else {
                        (&mut talk.acceptor, &mut to_opener)
                    };
                    side.send(false, &data);
                    expected.0.push_back(data);
                }
                Act::Receive { by_opener: true } => to_opener.read(&mut talk.opener),
                Act::Receive { by_opener: false } => to_acceptor.read(&mut talk.acceptor),
                Act::Transfer { size } => {
                    if let Some(key) = talk.opener.framing.start(&Info::default()) {
                        talk.opener.framing.write(key, &talk::bytes(size));
                        talk.opener.framing.finish(key);
                        transfers.push((key, size));
                    }
                }
                Act::Steps(steps) => talk.steps(steps),
                Act::Cut => {
                    talk.cut();
                    talk.connect();
                }
                Act::Wait => talk.settle(),
            }
        }
        for (key, size) in transfers {
            let there = loop {
                if let Some((there, _)) = talk.acceptor.framing.accept() {
                    break there;
                }
                talk.settle();
                to_acceptor.read(&mut talk.acceptor);
            };
            let (data, end) = talk.drain(there);
            prop_assert_eq!(end, Read::End);
            prop_assert!(data == talk::bytes(size));
            talk.settle();
            prop_assert_eq!(talk.opener.framing.transfer(key), Some(Transfer::Delivered));
        }
        while !(to_opener.0.is_empty() && to_acceptor.0.is_empty()) {
            talk.settle();
            to_opener.read(&mut talk.opener);
            to_acceptor.read(&mut talk.acceptor);
        }
        talk.settle();
        prop_assert_eq!(talk.opener.framing.state(), &State::Open);
        prop_assert!(talk.opener.framing.is_delivered() && talk.acceptor.framing.is_delivered());
        prop_assert_eq!(talk.opener.framing.held() + talk.acceptor.framing.held(), 0);
    }
}
