//! Every row of the table of faults in `docs/framing.md`, by the bytes that are on the wire.

use hola_webrtc_protocol::framing::{Ended, Fault, Framing, Info, Limits, MIN_WINDOW, ResumeId, Role, State};

const LIMITS: Limits = Limits { window: MIN_WINDOW, max_message: 32_768, max_transfers: 1, resend: 1 << 20 };

/// Version 1, a window of 80 KiB, messages of up to 1 MiB, 3 transfers.
const HELLO: [u8; 11] = [1, 0, 1, 0x40, 0, 0, 0x10, 0, 0, 0, 3];

fn opening(kind: u8) -> Vec<u8> {
    [&[kind][..], &HELLO].concat()
}

/// As [`opening`], on a resumable channel whose id is 16 bytes of 7.
fn resumable_opening(kind: u8, resumes: bool, received: u32) -> Vec<u8> {
    [&opening(kind)[..], &[7; 16], &[u8::from(resumes)], &received.to_be_bytes()].concat()
}

/// A frame of 16 KiB and a bit.
fn full(head: &[u8], more: usize) -> Vec<u8> {
    [head, &vec![b'x'; 16_384 + more]].concat()
}

/// What a side makes of these frames, and what it says of it.
fn fault_of(mut side: Framing<()>, frames: &[Vec<u8>]) -> Option<Fault> {
    side.attach();
    for (place, frame) in frames.iter().enumerate() {
        let handled = side.handle(0, frame, &mut |_| ());
        while side.transmit(0).is_some_and(|_| handled.is_ok()) {}
        let Err(fault) = handled else { continue };
        assert_eq!(place + 1, frames.len(), "{fault} came early");
        assert_eq!(side.state(), &State::Ended(Ended::Fault(fault)));
        // Nothing is taken or sent any more.
        assert_eq!(side.handle(0, &opening(1), &mut |_| ()), Ok(()));
        assert_eq!(side.transmit(u64::MAX), None);
        return Some(fault);
    }
    None
}

fn acceptor() -> Framing<()> {
    Framing::new(Role::Acceptor, LIMITS, None)
}

fn resumable() -> Framing<()> {
    Framing::new(Role::Acceptor, LIMITS, Some(ResumeId([7; 16])))
}

fn opener() -> Framing<()> {
    Framing::new(Role::Opener, LIMITS, None)
}

/// Frames behind a good beginning.
fn after_open(frames: impl IntoIterator<Item = Vec<u8>>) -> Option<Fault> {
    let frames: Vec<_> = [opening(1)].into_iter().chain(frames).collect();
    fault_of(acceptor(), &frames)
}

fn after_resumable_open(frames: impl IntoIterator<Item = Vec<u8>>) -> Option<Fault> {
    let frames: Vec<_> = [resumable_opening(1, false, 0)].into_iter().chain(frames).collect();
    fault_of(resumable(), &frames)
}

/// START of transfer 1, of unknown length, without a name.
fn start(number: u8) -> Vec<u8> {
    [&[0x15, 0, 0, 0, number][..], &[0xff; 8], &[0, 0]].concat()
}

#[test]
fn a_fault_is_told_with_its_code_and_name() {
    let mut side = acceptor();
    side.attach();
    side.handle(0, &opening(1), &mut |_| ()).unwrap();
    assert_eq!(side.transmit(0).unwrap()[0], 2);
    assert_eq!(side.handle(0, &[0x77], &mut |_| ()), Err(Fault::UnexpectedFrame));
    assert_eq!(side.transmit(0).unwrap(), b"\x03\x04unexpected-frame");
    for (place, fault) in Fault::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(fault.code()), place + 1);
    }
}

#[test]
fn what_does_not_begin_as_it_should_is_not_framed() {
    let not_framed = Some(Fault::NotFramed);
    assert_eq!(fault_of(acceptor(), &[b"hello".to_vec()]), not_framed);
    assert_eq!(fault_of(acceptor(), &[opening(2)]), not_framed);
    assert_eq!(fault_of(acceptor(), &[vec![0x10, b'x']]), not_framed);
    // An echo sends the opener's own frame back.
    assert_eq!(fault_of(opener(), &[opening(1)]), not_framed);
    assert_eq!(fault_of(opener(), &[opening(2)]), None);
}

#[test]
fn another_version_or_limits_that_nobody_can_work_with_are_refused() {
    let mut version = opening(1);
    version[1] = 2;
    let mut window = opening(1);
    window[3] = 0;
    for frame in [version, window] {
        assert_eq!(fault_of(acceptor(), &[frame]), Some(Fault::Version));
    }
    // What a later version says beyond is passed over.
    assert_eq!(fault_of(acceptor(), &[[&opening(1)[..], b"more"].concat()]), None);
}

#[test]
fn frames_that_are_too_short_or_too_long_are_malformed() {
    let malformed = Some(Fault::Malformed);
    assert_eq!(fault_of(acceptor(), &[opening(1)[..11].to_vec()]), malformed);
    assert_eq!(fault_of(resumable(), &[opening(1)]), malformed);
    let cut: [&[u8]; 8] = [
        b"",
        b"\x03",
        b"\x14\0\0\0",
        b"\x15\0\0\0\x01\0\0\0\0\0\0\0\0\0\x05name",
        b"\x16\0",
        b"\x17",
        b"\x18",
        b"\x1a",
    ];
    for frame in cut {
        assert_eq!(after_open([frame.to_vec()]), malformed, "{frame:?}");
    }
    assert_eq!(after_open([b"\x1a\0\0\0\x01\0".to_vec()]), malformed);
    assert_eq!(after_open([start(1), b"\x16\0\0\0\x01".to_vec()]), malformed);
    assert_eq!(after_resumable_open([b"\x10\0\0\0\0\0\0\0".to_vec()]), malformed);
    assert_eq!(after_resumable_open([b"\x04\0\0\0".to_vec()]), malformed);
}

#[test]
fn frames_of_unknown_types_and_in_wrong_places_are_unexpected() {
    let unexpected = Some(Fault::UnexpectedFrame);
    for frame in [vec![0], vec![0x0f], vec![0x1b], vec![0xff], opening(1), opening(2), vec![4, 0, 0, 0, 0]] {
        assert_eq!(after_open([frame.clone()]), unexpected, "{frame:?}");
    }
    assert_eq!(after_resumable_open([resumable_opening(1, false, 0)]), unexpected);
}

#[test]
fn what_is_longer_than_allowed_is_oversize() {
    let oversize = Some(Fault::Oversize);
    assert_eq!(after_open([full(&[0x10], 1)]), oversize);
    assert_eq!(after_open([start(1), full(&[0x16, 0, 0, 0, 1], 1)]), oversize);
    assert_eq!(after_open([full(&[0x12], 0), full(&[0x12], 0), vec![0x10, b'x']]), oversize);
    let name = [&[0x15, 0, 0, 0, 1][..], &[0; 8], &1025_u16.to_be_bytes(), &[b'n'; 1025]].concat();
    let kind = [&start(1)[..], &[b'k'; 256]].concat();
    let reason = [&[0x03, 0][..], &[b'r'; 256]].concat();
    for frame in [name, kind, reason] {
        assert_eq!(after_open([frame]), oversize);
    }
    assert_eq!(after_open([full(&[0x12], 0), full(&[0x10], 0)]), None);
}

#[test]
fn a_number_that_is_not_the_next_one_is_out_of_sequence() {
    let first = b"\x10\0\0\0\0\0\0\0\0x".to_vec();
    assert_eq!(after_resumable_open([first.clone()]), None);
    assert_eq!(after_resumable_open([first.clone(), first.clone()]), Some(Fault::Sequence));
    assert_eq!(after_resumable_open([b"\x10\0\0\0\x01\0\0\0\0x".to_vec()]), Some(Fault::Sequence));
    let opener = Framing::new(Role::Opener, LIMITS, Some(ResumeId([7; 16])));
    let resumed = resumable_opening(2, true, 0);
    assert_eq!(fault_of(opener, &[resumed]), Some(Fault::Sequence), "it had not asked for that");
}

#[test]
fn frames_that_were_never_sent_cannot_be_acknowledged() {
    let acknowledgement = Some(Fault::Acknowledgement);
    assert_eq!(after_resumable_open([b"\x04\0\0\0\x01".to_vec()]), acknowledgement);
    assert_eq!(after_resumable_open([b"\x04\xff\xff\xff\xff".to_vec()]), acknowledgement);
    assert_eq!(after_resumable_open([b"\x10\0\0\0\0\0\0\0\x01x".to_vec()]), acknowledgement);
    let mut side = resumable();
    for frame in [resumable_opening(1, false, 0), resumable_opening(1, true, 5)] {
        side.attach();
        let handled = side.handle(0, &frame, &mut |_| ());
        assert_eq!(handled.err(), acknowledgement.filter(|_| frame.ends_with(&[5])));
    }
}

#[test]
fn more_than_was_granted_and_grants_that_are_taken_back_are_faults_of_credit() {
    let chunk = full(&[0x16, 0, 0, 0, 1], 0);
    let five = [start(1)].into_iter().chain(vec![chunk; 5]);
    assert_eq!(after_open(five), Some(Fault::Credit));
    let message = full(&[0x10], 0);
    assert_eq!(after_open(vec![message.clone(); 4]), None);
    assert_eq!(after_open(vec![message; 5]), Some(Fault::Credit));
    // Empty messages cost something as well: 65 bytes each.
    assert_eq!(after_open(vec![vec![0x10]; 1260]), None);
    assert_eq!(after_open(vec![vec![0x10]; 1261]), Some(Fault::Credit));
    assert_eq!(after_open([b"\x14\0\0\0\0\0\0\0\0\0\0\0\x01".to_vec()]), Some(Fault::Credit));
}

#[test]
fn frames_of_transfers_that_are_not_under_way_are_faults() {
    let transfer = Some(Fault::Transfer);
    let frames: [&[u8]; 6] = [
        b"\x14\0\0\0\x01\0\0\0\0\0\0\0\x01",
        b"\x16\0\0\0\x01x",
        b"\x17\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x18\0\0\0\x01",
        b"\x19\0\0\0\x01",
        b"\x1a\0\0\0\x01",
    ];
    for frame in frames {
        assert_eq!(after_open([frame.to_vec()]), transfer, "{frame:?}");
    }
    assert_eq!(after_open([start(0)]), transfer);
    let finish = b"\x17\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    assert_eq!(after_open([start(2), finish.clone()]), None);
    for frame in [&b"\x16\0\0\0\x02x"[..], &finish, b"\x18\0\0\0\x02", &start(1), &start(2)] {
        assert_eq!(after_open([start(2), finish.clone(), frame.to_vec()]), transfer, "{frame:?}");
    }
    let mut side = acceptor();
    side.attach();
    side.handle(0, &opening(1), &mut |_| ()).unwrap();
    side.start(&Info::default()).unwrap();
    let done = side.handle(0, b"\x1a\0\0\0\x01", &mut |_| ());
    assert_eq!(done.err(), transfer, "it is not all written yet");
}

#[test]
fn more_transfers_than_allowed_are_a_fault() {
    assert_eq!(after_open([start(1), start(2)]), Some(Fault::TooManyTransfers));
    // One that is over makes room.
    assert_eq!(after_open([start(1), b"\x18\0\0\0\x01".to_vec(), start(2)]), None);
}

#[test]
fn names_and_reasons_are_utf_8() {
    let name = [&start(1)[..], b"\xff"].concat();
    for frame in [name, b"\x03\0\xff".to_vec(), b"\x18\0\0\0\x01\xc3".to_vec()] {
        assert_eq!(after_open([frame]), Some(Fault::NotUtf8));
    }
}

#[test]
fn fragments_are_full_and_of_one_kind() {
    let fragment = Some(Fault::Fragment);
    assert_eq!(after_open([b"\x12short".to_vec()]), fragment);
    assert_eq!(after_open([full(&[0x12], 0), b"\x11text".to_vec()]), fragment);
    assert_eq!(after_open([full(&[0x13], 0), b"\x10bytes".to_vec()]), fragment);
}

/// Transfers that are given up as soon as they began: each draws a DONE.
fn futile(is_resumable: bool, number: u32) -> [Vec<u8>; 2] {
    let header =
        |sequence: u32| if is_resumable { [sequence.to_be_bytes(), [0; 4]].concat() } else { Vec::new() };
    let number_bytes = number.to_be_bytes();
    let start = [&[0x15][..], &header(number * 2 - 2), &number_bytes, &[0; 10]].concat();
    [start, [&[0x18][..], &header(number * 2 - 1), &number_bytes].concat()]
}

#[test]
fn a_side_that_causes_frames_and_takes_or_acknowledges_none_is_cut_off() {
    let tight = Limits { resend: 0, ..LIMITS };
    for (mut side, opening, is_resumable) in [
        (acceptor(), opening(1), false),
        (Framing::new(Role::Acceptor, tight, Some(ResumeId([7; 16]))), resumable_opening(1, false, 0), true),
    ] {
        side.attach();
        side.handle(0, &opening, &mut |_| ()).unwrap();
        let mut number = 0;
        let fault = loop {
            number += 1;
            let [start, reset] = futile(is_resumable, number);
            let handled = [start, reset].map(|frame| side.handle(0, &frame, &mut |_| ()));
            if let Some(fault) = handled.into_iter().find_map(Result::err) {
                break fault;
            }
            while is_resumable && side.transmit(0).is_some() {}
        };
        assert_eq!(fault, Fault::Unacknowledged);
        // 64 KiB of frames of 13 bytes that are not acknowledged, or 1024 frames that are not taken.
        assert_eq!(number, if is_resumable { 5043 } else { 1025 });
    }
}

#[test]
fn a_new_channel_must_not_have_the_id_of_another() {
    let mut side = resumable();
    side.attach();
    side.handle(0, &resumable_opening(1, false, 0), &mut |_| ()).unwrap();
    side.detach();
    side.attach();
    let handled = side.handle(0, &resumable_opening(1, false, 0), &mut |_| ());
    assert_eq!(handled, Err(Fault::Taken));
}

#[test]
fn what_its_host_finds_is_told_the_same_way() {
    for fault in [Fault::NotUtf8, Fault::NotBinary, Fault::Refused] {
        let mut side = acceptor();
        side.attach();
        side.handle(0, &opening(1), &mut |_| ()).unwrap();
        side.fail(fault);
        assert_eq!(side.transmit(0).unwrap(), [&[3, fault.code()], fault.as_str().as_bytes()].concat());
        assert_eq!(side.transmit(0), None);
    }
}

#[test]
fn a_transfer_that_arrives_changed_fails_and_the_channel_goes_on() {
    let finish = |length: u8, checksum: u32| {
        [&b"\x17\0\0\0\x01\0\0\0\0\0\0\0"[..], &[length], &checksum.to_be_bytes()].concat()
    };
    // The CRC-32 of "123456789", as everywhere.
    for (finish, reason) in [
        (finish(9, 0xcbf4_3926), None),
        (finish(9, 0xcbf4_3927), Some(&b"the checksum does not agree"[..])),
        (finish(8, 0xcbf4_3926), Some(b"the length is not the announced one")),
    ] {
        let mut side = acceptor();
        side.attach();
        for frame in [opening(1), start(1), b"\x16\0\0\0\x01123456789".to_vec(), finish] {
            side.handle(0, &frame, &mut |_| ()).unwrap();
        }
        assert_eq!(side.transmit(0).unwrap()[0], 2);
        let stop = reason.map(|reason| [b"\x19\0\0\0\x01", reason].concat());
        assert_eq!(side.transmit(0), stop);
        assert_eq!(side.state(), &State::Open);
    }
}
