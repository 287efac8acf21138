//! One side of a channel: what it takes in, and what it gives out.

use std::{collections::VecDeque, mem};

use super::{
    Ended, Fault, Frame, Header, Hello, Limits, Resume, ResumeId, Role, State, Undelivered, VERSION,
    credit::Lane,
    incoming::Incoming,
    ledger::Ledger,
    messages::{Inbox, Salvage, more_of},
    outgoing::Outgoing,
};

/// How many frames that are no messages and no chunks may wait. The far side causes them, and has to take them.
const MAX_CONTROL: usize = 1024;

/// What transfers are told that end with their channel.
const LOST: &str = "the channel has ended";

/// One side of a channel. `P` is how its host holds the payload of a frame that has arrived.
pub struct Framing<P> {
    pub(super) role: Role,
    pub(super) limits: Limits,
    pub(super) resume: Option<ResumeId>,
    pub(super) state: State,
    /// Whether it was open before.
    pub(super) is_established: bool,
    /// How often the opener has begun.
    openings: u32,
    pub(super) peer: Hello,
    pub(super) ledger: Option<Ledger>,
    pub(super) hello: Option<Vec<u8>>,
    pub(super) farewell: Option<Vec<u8>>,
    pub(super) control: VecDeque<Vec<u8>>,
    pub(super) messages: Lane,
    pub(super) inbox: Inbox<P>,
    /// Whether the last message that left is not complete.
    is_within: bool,
    pub(super) outgoing: Vec<Outgoing>,
    pub(super) incoming: Vec<Incoming<P>>,
    pub(super) last_incoming: u32,
    pub(super) last_key: u32,
    /// Whose turn it is: the messages', or that of the outgoing transfer before this number.
    turn: usize,
    pub(super) undelivered: Vec<Undelivered>,
    pub(super) is_closing: bool,
}

impl<P> Framing<P> {
    /// A channel without a connection. It is resumable if it has a resume id; the acceptor's is that of the opener's
    /// OPEN frame.
    pub fn new(role: Role, limits: Limits, resume: Option<ResumeId>) -> Self {
        let unknown =
            Hello { version: VERSION, window: 0, max_message: u32::MAX, max_transfers: 0, resume: None };
        Self {
            role,
            limits,
            resume,
            state: State::Detached,
            is_established: false,
            openings: 0,
            peer: unknown,
            ledger: resume.map(|_| Ledger::default()),
            hello: None,
            farewell: None,
            control: VecDeque::new(),
            messages: Lane::default(),
            inbox: Inbox::new(limits.window),
            is_within: false,
            outgoing: Vec::new(),
            incoming: Vec::new(),
            last_incoming: 0,
            last_key: 0,
            turn: 0,
            undelivered: Vec::new(),
            is_closing: false,
        }
    }

    /// How far it has come.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// A data channel is open for it. Whatever the last one still brings is to be passed over.
    pub fn attach(&mut self) {
        if matches!(self.state, State::Ended(_)) {
            return;
        }
        self.state = State::Opening;
        (self.hello, self.farewell) = (None, None);
        if self.role == Role::Opener {
            self.openings = self.openings.saturating_add(1);
            self.hello = Some(Frame::Open(self.hello(self.asks_to_resume())).encode(None));
        }
    }

    /// Its data channel is gone. One that is not resumable begins anew with the next.
    pub fn detach(&mut self) {
        if !matches!(self.state, State::Ended(_)) {
            self.state = State::Detached;
            if self.ledger.is_none() {
                self.renew();
            }
        }
    }

    /// It is not resumed any more.
    pub fn give_up(&mut self) {
        self.end(Ended::Lost);
    }

    /// The far side did something wrong: it is told, and the channel ends.
    pub fn fail(&mut self, fault: Fault) {
        if !matches!(self.state, State::Ended(_)) {
            self.farewell = Some(Frame::End { code: fault.code(), reason: fault.as_str() }.encode(None));
            self.end(Ended::Fault(fault));
        }
    }

    /// A message of the data channel came. `payload` gives what begins at an offset in it.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The channel has ended then: what is still to be sent is sent, then the data channel is
    /// closed.
    pub fn handle(
        &mut self,
        now: u64,
        bytes: &[u8],
        payload: &mut dyn FnMut(usize) -> P,
    ) -> Result<(), Fault> {
        let handled = match self.state {
            State::Detached | State::Ended(_) => return Ok(()),
            State::Opening => self.begin(bytes),
            State::Open => self.continued(now, bytes, payload),
        };
        let is_overdrawn = self.control.len() > MAX_CONTROL
            || self.ledger.as_ref().is_some_and(|ledger| ledger.is_overdrawn(self.limits.resend));
        let handled = if is_overdrawn { handled.and(Err(Fault::Unacknowledged)) } else { handled };
        if let Err(fault) = handled {
            self.fail(fault);
        }
        handled
    }

    /// The next message for the data channel, if there is one.
    pub fn transmit(&mut self, now: u64) -> Option<Vec<u8>> {
        if let Some(frame) = self.farewell.take().or_else(|| self.hello.take()) {
            return Some(frame);
        }
        if self.state != State::Open {
            return None;
        }
        if let Some(frame) = self.ledger.as_mut().and_then(Ledger::repeat) {
            return Some(frame);
        }
        if let Some(frame) = self.next() {
            return Some(match &mut self.ledger {
                Some(ledger) => ledger.enter(frame),
                None => frame,
            });
        }
        if let Some(ledger) = &mut self.ledger
            && ledger.due.is_some_and(|due| due <= now)
        {
            ledger.settle();
            return Some(Frame::Ack { received: ledger.received }.encode(None));
        }
        if self.is_closing && self.is_delivered() {
            self.end(Ended::Closed);
            return Some(Frame::End { code: 0, reason: "" }.encode(None));
        }
        None
    }

    /// When there will be something to send even if nothing happens.
    pub fn due(&self) -> Option<u64> {
        self.ledger.as_ref().filter(|_| self.state == State::Open)?.due
    }

    /// Whether everything is sent, and acknowledged as far as this side can know.
    pub fn is_delivered(&self) -> bool {
        self.control.is_empty()
            && self.messages.is_empty()
            && self.outgoing.iter().all(|transfer| transfer.is_done)
            && self.ledger.as_ref().is_none_or(Ledger::is_settled)
    }

    pub(super) fn header(&self) -> Option<Header> {
        self.resume.map(|_| Header::default())
    }

    /// Queues a frame that belongs to no order, and goes first.
    pub(super) fn control(&mut self, frame: &Frame<'_>) {
        if self.is_established && !matches!(self.state, State::Ended(_)) {
            self.control.push_back(frame.encode(self.header()));
        }
    }

    /// The far side may have taken the first OPEN, and its reply been lost.
    pub(super) fn asks_to_resume(&self) -> bool {
        self.openings > 1
    }

    pub(super) fn hello(&self, resumes: bool) -> Hello {
        let Limits { window, max_message, max_transfers, .. } = self.limits;
        let received = self.ledger.as_ref().map_or(0, |ledger| ledger.received);
        let resume = self.resume.map(|id| Resume { id, resumes, received });
        Hello { version: VERSION, window, max_message, max_transfers, resume }
    }

    pub(super) fn grant(&mut self, transfer: u32, limit: Option<u64>) {
        if let Some(limit) = limit {
            self.control(&Frame::Credit { transfer, limit });
        }
    }

    /// Drops the transfers that are over for both.
    pub(super) fn sweep(&mut self) {
        self.outgoing.retain(|transfer| !(transfer.is_done && transfer.is_forgotten));
        let (over, incoming) =
            mem::take(&mut self.incoming).into_iter().partition(|it| it.is_over && it.is_left);
        self.incoming = incoming;
        for transfer in over {
            // Of one that the far side does not know any more it need not hear.
            if transfer.number != 0 {
                self.control(&Frame::Done { transfer: transfer.number });
            }
        }
    }

    /// The next new frame: what belongs to no order, then messages and transfers in turn.
    fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(frame) = self.control.pop_front() {
            return Some(frame);
        }
        if self.ledger.as_ref().is_some_and(|ledger| ledger.bytes >= self.limits.resend) {
            return None;
        }
        let lanes = self.outgoing.len() + 1;
        for _ in 0..lanes {
            let turn = self.turn % lanes;
            self.turn = turn + 1;
            let frame = match turn.checked_sub(1) {
                Some(transfer) => self.outgoing[transfer].next(),
                None => self.messages.pop().map(|(frame, _)| frame),
            };
            if let Some(frame) = frame {
                self.is_within = more_of(&frame).unwrap_or(self.is_within);
                return Some(frame);
            }
        }
        None
    }

    /// Begins anew, without what the far side has or had: messages that have not left yet stay.
    pub(super) fn renew(&mut self) {
        let is_resumable = self.ledger.is_some();
        let mut salvage = match &mut self.ledger {
            Some(ledger) => ledger.renew(),
            None => Salvage::new(is_resumable, self.is_within),
        };
        // The rest of one that has begun to leave goes with it.
        let mut is_within = mem::take(&mut self.is_within);
        debug_assert!(!is_resumable || is_within == salvage.is_within());
        self.messages.take_while(|frame| {
            let takes = is_within;
            if takes {
                salvage.add(frame);
                is_within = salvage.is_within();
            }
            takes
        });
        self.undelivered.append(&mut salvage.finish());
        self.control.clear();
        self.inbox.renew(self.limits.window);
        self.lose_transfers();
        self.last_incoming = 0;
    }

    fn lose_transfers(&mut self) {
        for transfer in &mut self.outgoing {
            transfer.lose(LOST);
        }
        for transfer in &mut self.incoming {
            transfer.lose(LOST);
            transfer.number = 0;
        }
        self.sweep();
    }

    pub(super) fn end(&mut self, how: Ended) {
        if matches!(self.state, State::Ended(_)) {
            return;
        }
        self.renew();
        // What has not left never will.
        let mut salvage = Salvage::new(self.ledger.is_some(), false);
        self.messages.take_while(|frame| {
            salvage.add(frame);
            true
        });
        self.undelivered.append(&mut salvage.finish());
        self.hello = None;
        self.state = State::Ended(how);
    }
}
