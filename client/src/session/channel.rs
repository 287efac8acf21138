//! A plain channel of a session.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    future::poll_fn,
    iter,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_sink::Sink;

use super::{
    Shared,
    slot::{Kind, Slot},
};
use crate::{Channel, ChannelState, Message, SendError, changes::Changes};

/// A channel of a [`Session`](crate::Session), which is opened again on each of its connections. Clones are handles to the
/// same one: a message goes to one of those who wait for it.
///
/// It is a [`Stream`] and a [`Sink`] as a [`Channel`] is, and waits while there is no connection. What had come stays until it
/// is read. What was on its way when a connection was lost may have arrived or not; [`take_lost`](Self::take_lost) tells of what had not left the browser.
/// A [resumable](crate::Mode::Resumable) channel loses nothing.
#[derive(Clone)]
pub struct SessionChannel {
    slot: Rc<Slot>,
    /// A channel keeps its session alive.
    _session: Rc<Shared>,
}

/// What such a channel has of its own.
#[derive(Default)]
pub(super) struct Plain {
    present: RefCell<Option<Channel>>,
    /// What came over earlier connections, and nobody has taken yet.
    unread: RefCell<VecDeque<Message>>,
    changes: Changes,
    is_ended: Cell<bool>,
    sent: RefCell<Sent>,
    lost: Cell<u32>,
}

/// The sizes of the messages that may still wait in the browser.
#[derive(Default)]
struct Sent {
    sizes: VecDeque<usize>,
    sum: usize,
}

impl Sent {
    /// Those that have left the browser are forgotten.
    fn add(&mut self, size: usize, waiting: usize) {
        self.sizes.push_back(size);
        self.sum += size;
        while let Some(first) = self.sizes.front().copied().filter(|first| self.sum - first >= waiting) {
            self.sum -= first;
            self.sizes.pop_front();
        }
    }

    /// How many messages have at least a byte among those that wait.
    fn waiting(self, waiting: usize) -> u32 {
        let (mut count, mut bytes) = (0, 0);
        for size in self.sizes.into_iter().rev() {
            if bytes >= waiting {
                break;
            }
            bytes += size;
            count += 1;
        }
        count
    }
}

impl Plain {
    pub(super) fn attach(&self, channel: Channel) {
        self.present.replace(Some(channel));
        self.changes.notify();
    }

    pub(super) fn detach(&self) {
        if let Some(channel) = self.present.take() {
            let lost = self.sent.take().waiting(channel.buffered_amount() as usize);
            self.lost.set(self.lost.get() + lost);
            self.unread.borrow_mut().extend(iter::from_fn(|| channel.core().take_message()));
        }
        self.changes.notify();
    }

    pub(super) fn end(&self) {
        self.is_ended.set(true);
        if let Some(channel) = &*self.present.borrow() {
            channel.close();
        }
        self.changes.notify();
    }

    /// Asks the present channel, and again when that is another one. `over` tells that it has closed, which counts only once
    /// nothing follows.
    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        over: impl Fn(&T) -> bool,
        last: T,
        ask: impl FnOnce(Pin<&mut Channel>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let present = self.present.borrow().clone();
        let asked = present.map(|mut channel| ask(Pin::new(&mut channel), context));
        match asked {
            Some(Poll::Ready(answer)) if !over(&answer) => Poll::Ready(answer),
            _ => self.changes.poll(context, || self.is_ended.get().then_some(last)),
        }
    }
}

impl SessionChannel {
    pub(super) fn new(slot: Rc<Slot>, session: Rc<Shared>) -> Self {
        Self { slot, _session: session }
    }

    /// Only plain ones are made into handles of this type.
    fn plain(&self) -> Option<&Plain> {
        match &self.slot.kind {
            Kind::Plain(plain) => Some(plain),
            Kind::Framed(_) => None,
        }
    }

    fn present(&self) -> Option<Channel> {
        self.plain()?.present.borrow().clone()
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.slot.label
    }

    /// Whether it is open. While there is no connection, it is connecting.
    pub fn state(&self) -> ChannelState {
        if self.slot.is_ended() {
            return ChannelState::Closed;
        }
        match self.present().map(|channel| channel.state()) {
            Some(state @ (ChannelState::Open | ChannelState::Closing)) => state,
            _ => ChannelState::Connecting,
        }
    }

    /// How many bytes wait to be sent.
    pub fn buffered_amount(&self) -> u32 {
        self.present().map_or(0, |channel| channel.buffered_amount())
    }

    /// The largest message that the other side takes, in bytes. `None`: no limit, or none known at the moment.
    pub fn max_message_size(&self) -> Option<u32> {
        self.present()?.max_message_size()
    }

    /// Sends without waiting; refuses if there is no connection, or [`HIGH_WATER`](crate::HIGH_WATER) is reached.
    pub fn send_now(&self, message: &Message) -> Result<(), SendError> {
        let (Some(plain), Some(channel)) = (self.plain(), self.present()) else {
            return Err(SendError::NotOpen);
        };
        channel.send_now(message)?;
        plain.sent.borrow_mut().add(message.len(), channel.buffered_amount() as usize);
        Ok(())
    }

    /// Waits until the channel is open and takes a message. Fails if it closes for good.
    pub async fn ready(&self) -> Result<(), SendError> {
        poll_fn(|context| self.poll_ready_now(context)).await
    }

    /// How many messages had not left the browser when connections were lost, since the last call. Of those that had left,
    /// nobody knows.
    pub fn take_lost(&self) -> u32 {
        self.plain().map_or(0, |plain| plain.lost.take())
    }

    /// Closes the channel; what waits is still sent, and it is not opened again. The session stays.
    pub fn close(&self) {
        self.slot.end();
    }

    fn poll_ready_now(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let refused = Err(SendError::NotOpen);
        match self.plain() {
            Some(plain) => plain.poll(context, Result::is_err, refused, Sink::poll_ready),
            None => Poll::Ready(refused),
        }
    }
}

impl Stream for SessionChannel {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let Some(plain) = self.plain() else { return Poll::Ready(None) };
        let unread = plain.unread.borrow_mut().pop_front();
        match unread {
            Some(message) => Poll::Ready(Some(message)),
            None => plain.poll(context, Option::is_none, None, Stream::poll_next),
        }
    }
}

impl Sink<Message> for SessionChannel {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_ready_now(context)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        self.send_now(&message)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.poll_ready_now(context)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.close();
        match self.present() {
            Some(mut channel) => Pin::new(&mut channel).poll_close(context),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl fmt::Debug for SessionChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionChannel")
            .field("label", &self.label())
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_wait_are_counted_from_the_last_one_on() {
        let mut sent = Sent::default();
        for (size, waiting) in [(10, 10), (20, 30), (5, 25), (5, 30)] {
            sent.add(size, waiting);
        }
        assert_eq!(sent.sizes, [20, 5, 5]);
        assert_eq!(sent.waiting(11), 3);
        assert_eq!(Sent::default().waiting(0), 0);
    }
}
