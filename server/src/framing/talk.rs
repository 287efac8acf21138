//! One side of a framed channel, as its handles and its task share it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use hola_webrtc_protocol::framing::{
    Fault, Framing, Limits as Bounds, MIN_WINDOW, Received, ResumeId, Role, State, Undelivered, Unsendable,
};

use super::keeper::Place;
use crate::{
    channel::{Channel, Message, SendError, Undelivered as UndeliveredMessage},
    limits::Limits,
};

/// How many bytes of messages wait before senders do.
const QUEUE: usize = 128 * 1024;

/// How many transfers may come at the same time.
const MAX_TRANSFERS: u16 = 4;

pub(crate) struct Talk {
    inner: Mutex<Inner>,
    /// What the framing's times count from.
    epoch: Instant,
}

pub(super) struct Inner {
    pub(super) framing: Framing<Bytes>,
    /// A data channel that takes over, and its first message.
    pub(super) successor: Option<(Channel, Bytes)>,
    pub(super) place: Option<Place>,
    task: Option<Waker>,
    users: Vec<Waker>,
}

impl Talk {
    pub(super) fn new(role: Role, limits: &Limits, resume: Option<(ResumeId, Place)>) -> Arc<Self> {
        let quarter = limits.session_buffer / 4;
        let bounds = Bounds {
            window: u32::try_from(quarter).unwrap_or(u32::MAX).max(MIN_WINDOW),
            max_message: limits.max_framed_message,
            max_transfers: MAX_TRANSFERS,
            resend: quarter,
        };
        let (id, place) = resume.unzip();
        let framing = Framing::new(role, bounds, id);
        let inner = Inner { framing, successor: None, place, task: None, users: Vec::new() };
        Arc::new(Self { inner: Mutex::new(inner), epoch: Instant::now() })
    }

    /// The client is back, on this data channel.
    pub(super) fn resume(&self, carrier: Channel, first: Bytes) {
        let mut inner = self.lock();
        // One that has ended meanwhile lets go of it, and the client begins anew.
        if !inner.has_ended() {
            inner.successor = Some((carrier, first));
            inner.wake_task();
        }
    }

    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn instant(&self, millis: u64) -> Instant {
        self.epoch + Duration::from_millis(millis)
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The task goes on when it is woken.
    pub(super) fn watch_as_task(&mut self, context: &Context<'_>) {
        self.task = Some(context.waker().clone());
    }

    pub(super) fn wake_task(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    /// Whoever waits for anything is told when anything has happened.
    pub(super) fn wait<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        let waker = context.waker();
        if !self.users.iter().any(|user| user.will_wake(waker)) {
            self.users.push(waker.clone());
        }
        Poll::Pending
    }

    pub(super) fn wake_users(&mut self) {
        for user in self.users.drain(..) {
            user.wake();
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.framing.state(), State::Ended(_))
    }

    /// Does something with the framing after which there may be something to send.
    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Framing<Bytes>) -> T) -> T {
        let result = act(&mut self.framing);
        self.wake_task();
        result
    }
}

/// The handler's side of messages.
impl Talk {
    pub(crate) fn max_message_size(&self) -> usize {
        self.lock().framing.max_message() as usize
    }

    pub(crate) fn poll_receive(&self, context: &Context<'_>) -> Poll<Option<Message>> {
        let mut inner = self.lock();
        let Some(received) = inner.framing.receive() else {
            return if inner.has_ended() { Poll::Ready(None) } else { inner.wait(context) };
        };
        if inner.framing.has_control() {
            inner.wake_task();
        }
        let message = assemble(received);
        if message.is_none() {
            inner.act(|framing| framing.fail(Fault::NotUtf8));
        }
        Poll::Ready(message)
    }

    pub(crate) fn poll_ready(&self, context: &Context<'_>) -> Poll<Result<(), SendError>> {
        let mut inner = self.lock();
        if inner.has_ended() || inner.framing.is_closing() {
            return Poll::Ready(Err(SendError::Closed));
        }
        if inner.framing.is_established() && inner.framing.buffered() < QUEUE {
            return Poll::Ready(Ok(()));
        }
        inner.wait(context)
    }

    pub(crate) fn send(&self, message: &Message) -> Result<(), SendError> {
        let (is_text, data) = match message {
            Message::Text(text) => (true, text.as_bytes()),
            Message::Binary(bytes) => (false, &bytes[..]),
        };
        self.lock().act(|framing| framing.send(is_text, data)).map_err(|error| match error {
            Unsendable::NotOpen => SendError::Closed,
            Unsendable::TooLarge(max) => SendError::TooLarge { size: data.len(), max: max as usize },
        })
    }

    pub(crate) fn poll_flush(&self, context: &Context<'_>) -> Poll<Result<(), SendError>> {
        let mut inner = self.lock();
        if inner.has_ended() {
            let has_lost = inner.framing.has_undelivered();
            return Poll::Ready(if has_lost { Err(SendError::Closed) } else { Ok(()) });
        }
        // What a resumable channel has taken is kept until it is acknowledged.
        let is_flushed = inner.framing.is_resumable() || inner.framing.buffered() == 0;
        if is_flushed { Poll::Ready(Ok(())) } else { inner.wait(context) }
    }

    /// Closes the channel, and waits until the peer has everything.
    pub(crate) fn poll_close(&self, context: &Context<'_>) -> Poll<Result<(), SendError>> {
        let mut inner = self.lock();
        if inner.has_ended() {
            return Poll::Ready(Ok(()));
        }
        inner.act(Framing::close);
        inner.wait(context)
    }

    /// Lets go of the channel once the peer has everything, without saying that it ends.
    pub(crate) fn poll_part(&self, context: &Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if !inner.has_ended() && !inner.framing.is_delivered() {
            return inner.wait(context);
        }
        inner.act(Framing::give_up);
        Poll::Ready(())
    }

    pub(crate) fn is_resumable(&self) -> bool {
        self.lock().framing.is_resumable()
    }

    /// The handler is gone.
    pub(crate) fn leave(&self) {
        self.lock().act(Framing::close);
    }

    pub(crate) fn take_undelivered(&self) -> Vec<UndeliveredMessage> {
        let undelivered = self.lock().framing.take_undelivered();
        undelivered.into_iter().map(name_undelivered).collect()
    }
}

/// `None` if the message is text and not UTF-8.
fn assemble(Received { text, mut parts }: Received<Bytes>) -> Option<Message> {
    let whole = if parts.len() == 1 {
        parts.pop().unwrap_or_default()
    } else {
        let mut whole = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
        for part in &parts {
            whole.extend_from_slice(part);
        }
        whole.freeze()
    };
    if text { String::from_utf8(whole.into()).ok().map(Message::Text) } else { Some(Message::Binary(whole)) }
}

fn name_undelivered(Undelivered { text, data, is_whole }: Undelivered) -> UndeliveredMessage {
    // A part of a text may begin within a character.
    let message = match String::from_utf8(data) {
        Ok(content) if text => Message::Text(content),
        Ok(content) => Message::Binary(content.into_bytes().into()),
        Err(error) => Message::Binary(error.into_bytes().into()),
    };
    UndeliveredMessage { message, is_whole }
}
