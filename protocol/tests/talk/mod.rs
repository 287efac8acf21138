//! Both sides of a channel in one place.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::VecDeque;

use hola_webrtc_protocol::framing::{Framing, Limits, MIN_WINDOW, Read, ResumeId, Role, State, Transfer};

/// Small, so that they are reached.
pub(crate) const LIMITS: Limits =
    Limits { window: MIN_WINDOW, max_message: 1 << 20, max_transfers: 3, resend: 48 * 1024 };

const ID: ResumeId = ResumeId([7; 16]);

pub(crate) struct Side {
    pub(crate) framing: Framing<Vec<u8>>,
    /// What is under way to it.
    pub(crate) inbound: VecDeque<Vec<u8>>,
}

impl Side {
    pub(crate) fn new(role: Role, is_resumable: bool) -> Self {
        Self { framing: Framing::new(role, LIMITS, is_resumable.then_some(ID)), inbound: VecDeque::new() }
    }

    pub(crate) fn acceptor(is_resumable: bool) -> Self {
        Self::new(Role::Acceptor, is_resumable)
    }

    pub(crate) fn send(&mut self, text: bool, data: &[u8]) {
        self.framing.send(text, data).unwrap();
    }

    pub(crate) fn receive(&mut self) -> Option<(bool, Vec<u8>)> {
        self.framing.receive().map(|message| (message.text, message.parts.concat()))
    }

    pub(crate) fn sent(&self, key: u32) -> u64 {
        match self.framing.transfer(key) {
            Some(Transfer::Sending { sent, .. }) => sent,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn take_in(&mut self, now: u64, frame: &[u8]) {
        let handled = self.framing.handle(now, frame, &mut |offset| frame[offset..].to_vec());
        handled.unwrap_or_else(|fault| panic!("{fault} on {frame:?}"));
    }
}

pub(crate) struct Talk {
    pub(crate) opener: Side,
    pub(crate) acceptor: Side,
    pub(crate) now: u64,
    is_resumable: bool,
}

impl Talk {
    fn new(is_resumable: bool) -> Self {
        let opener = Side::new(Role::Opener, is_resumable);
        Self { opener, acceptor: Side::acceptor(is_resumable), now: 0, is_resumable }
    }

    pub(crate) fn framed() -> Self {
        Self::new(false)
    }

    pub(crate) fn resumable() -> Self {
        Self::new(true)
    }

    /// Both sides have a data channel, and have not spoken.
    pub(crate) fn attach(&mut self) {
        self.opener.framing.attach();
        self.acceptor.framing.attach();
    }

    pub(crate) fn connect(&mut self) {
        self.attach();
        self.steps(1);
        assert_eq!(self.acceptor.framing.state(), &State::Open);
        while *self.opener.framing.state() == State::Opening {
            self.steps(1);
        }
    }

    /// The connection is gone, and what was under way.
    pub(crate) fn cut(&mut self) {
        for side in [&mut self.opener, &mut self.acceptor] {
            side.inbound.clear();
            side.framing.detach();
        }
    }

    pub(crate) fn forget_acceptor(&mut self) {
        self.acceptor = Side::acceptor(self.is_resumable);
    }

    /// Each side sends a frame, and takes one in.
    pub(crate) fn step(&mut self) -> bool {
        let Self { opener, acceptor, now, .. } = self;
        let frames = [opener.framing.transmit(*now), acceptor.framing.transmit(*now)];
        let moved = frames.iter().any(Option::is_some);
        let [to_acceptor, to_opener] = frames;
        acceptor.inbound.extend(to_acceptor);
        opener.inbound.extend(to_opener);
        let taken = [opener, acceptor].map(|side| {
            let frame = side.inbound.pop_front();
            frame.as_ref().map(|frame| side.take_in(*now, frame)).is_some()
        });
        moved || taken.contains(&true)
    }

    pub(crate) fn steps(&mut self, number: usize) {
        for _ in 0..number {
            self.step();
        }
    }

    /// Until nothing moves by itself.
    pub(crate) fn run(&mut self) {
        while self.step() {}
    }

    /// Until nothing moves, however long it takes.
    pub(crate) fn settle(&mut self) {
        loop {
            self.run();
            let due = [&self.opener, &self.acceptor].iter().filter_map(|side| side.framing.due()).min();
            let Some(due) = due else { return };
            self.now = self.now.max(due);
        }
    }

    /// Hands a frame of the opener to the acceptor, and returns its type.
    pub(crate) fn carry(&mut self, frame: &[u8]) -> u8 {
        self.acceptor.take_in(self.now, frame);
        frame[0]
    }

    /// Reads a transfer at the acceptor to its end.
    pub(crate) fn drain(&mut self, key: u32) -> (Vec<u8>, Read<Vec<u8>>) {
        let mut data = Vec::new();
        loop {
            match self.acceptor.framing.read(key) {
                Some(Read::Chunk(chunk)) => data.extend(chunk),
                Some(end) => return (data, end),
                None => self.settle(),
            }
        }
    }
}

pub(crate) fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|number| u8::try_from(number % 251).unwrap()).collect()
}
