//! The task that carries frames between a talk and its data channel.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;
use hola_webrtc_protocol::framing::{Fault, Framing, State};
use tokio::time::{Sleep, sleep_until};

use super::{
    Keeper,
    talk::{Inner, Talk},
};
use crate::{
    channel::{Channel, Message},
    metrics::Limit,
};

/// How many frames are taken in before those that they cause are sent.
const BATCH: usize = 64;

/// The data channel of the moment. What the talk holds counts towards what its session holds.
struct Carrier {
    channel: Channel,
    held: usize,
}

impl Carrier {
    fn new(channel: Channel) -> Self {
        Self { channel, held: 0 }
    }

    fn note(&mut self, held: usize) {
        self.channel.hold(self.held, held);
        self.held = held;
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.note(0);
    }
}

struct Pump {
    talk: Arc<Talk>,
    carrier: Option<Carrier>,
    /// When the talk lost its data channel.
    lost: Option<Instant>,
    keeper: Arc<Keeper>,
    timer: Pin<Box<Sleep>>,
    alarm: Option<Instant>,
}

impl Talk {
    /// Runs until the channel has ended. `first` is a message of the data channel that was read already.
    pub(super) async fn run(self: Arc<Self>, carrier: Channel, first: Option<Bytes>, keeper: Arc<Keeper>) {
        {
            let mut inner = self.lock();
            inner.framing.attach();
            if let Some(first) = first {
                handle(&mut inner.framing, self.now(), &first, &keeper);
            }
        }
        let mut pump = Pump {
            talk: self,
            carrier: Some(Carrier::new(carrier)),
            lost: None,
            keeper,
            timer: Box::pin(sleep_until(Instant::now().into())),
            alarm: None,
        };
        poll_fn(|context| pump.poll(context)).await;
    }
}

/// Also if nobody polls it any more, because the engine stops or the protocol has panicked: who waits is told.
impl Drop for Pump {
    fn drop(&mut self) {
        let mut inner = self.talk.lock();
        inner.framing.give_up();
        inner.place = None;
        inner.wake_users();
    }
}

impl Pump {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let talk = self.talk.clone();
        let mut inner = talk.lock();
        inner.watch_as_task(context);
        self.change_over(&mut inner);
        let mut has_more = true;
        while has_more {
            has_more = self.receive(&mut inner, context);
            has_more |= self.send(&mut inner, context);
        }
        self.account(&mut inner);
        let is_over = self.wait(&mut inner, context);
        inner.wake_users();
        if is_over {
            // The place is free for others, though handles may live on.
            inner.place = None;
            self.carrier = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// The client has come back: what the old data channel still brings is passed over.
    fn change_over(&mut self, inner: &mut Inner) {
        if let Some((channel, first)) = inner.successor.take() {
            inner.framing.detach();
            inner.framing.attach();
            handle(&mut inner.framing, self.talk.now(), &first, &self.keeper);
            (self.carrier, self.lost) = (Some(Carrier::new(channel)), None);
        }
    }

    /// Takes frames in. Returns whether there may be more.
    fn receive(&mut self, inner: &mut Inner, context: &mut Context<'_>) -> bool {
        for _ in 0..BATCH {
            let Some(carrier) = &mut self.carrier else { return false };
            match Pin::new(&mut carrier.channel).poll_next(context) {
                Poll::Ready(Some(Message::Binary(frame))) => {
                    handle(&mut inner.framing, self.talk.now(), &frame, &self.keeper);
                }
                Poll::Ready(Some(Message::Text(_))) => inner.framing.fail(Fault::NotBinary),
                Poll::Ready(None) => {
                    self.lose(inner);
                    return false;
                }
                Poll::Pending => return false,
            }
        }
        true
    }

    /// Sends frames while the data channel takes them. Returns whether there may be more.
    fn send(&mut self, inner: &mut Inner, context: &mut Context<'_>) -> bool {
        let Some(carrier) = &mut self.carrier else { return false };
        let mut channel = Pin::new(&mut carrier.channel);
        loop {
            match channel.as_mut().poll_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) | Poll::Pending => return false,
            }
            let Some(frame) = inner.framing.transmit(self.talk.now()) else { return false };
            if channel.as_mut().start_send(Message::Binary(frame.into())).is_err() {
                // It closes, or takes no message of a frame's size: either way it is of no use.
                self.lose(inner);
                return false;
            }
        }
    }

    fn lose(&mut self, inner: &mut Inner) {
        self.carrier = None;
        if inner.framing.is_resumable() {
            inner.framing.detach();
            self.lost = Some(Instant::now());
        } else {
            inner.framing.give_up();
        }
    }

    /// What is held counts towards the session, or, while there is none, towards what is kept for those who may return.
    fn account(&mut self, inner: &mut Inner) {
        let held = inner.framing.held();
        if let Some(carrier) = &mut self.carrier {
            carrier.note(held);
        }
        let parked = self.carrier.is_none().then_some(held);
        if let Some(place) = &mut inner.place
            && !place.park(parked)
        {
            inner.framing.give_up();
        }
    }

    /// Returns whether the talk is over. If not, the task is woken when its time has come.
    fn wait(&mut self, inner: &mut Inner, context: &mut Context<'_>) -> bool {
        let until = self.lost.map(|lost| lost + self.keeper.limits().resume_timeout);
        if until.is_some_and(|until| until <= Instant::now()) {
            if let Some(place) = &inner.place {
                place.note(Limit::ResumeTimeout);
            }
            inner.framing.give_up();
        }
        if matches!(inner.framing.state(), State::Ended(_)) {
            // The last word may still wait for the data channel to take it.
            let has_last_word = inner.framing.has_farewell() && self.carrier.is_some();
            return !has_last_word;
        }
        let due = inner.framing.due().map(|due| self.talk.instant(due));
        let alarm = match (due, until) {
            (Some(due), Some(until)) => Some(due.min(until)),
            (due, until) => due.or(until),
        };
        if alarm != self.alarm {
            self.alarm = alarm;
            if let Some(alarm) = alarm {
                self.timer.as_mut().reset(alarm.into());
            }
        }
        if alarm.is_some() && self.timer.as_mut().poll(context).is_ready() {
            self.alarm = None;
            context.waker().wake_by_ref();
        }
        false
    }
}

fn handle(framing: &mut Framing<Bytes>, now: u64, frame: &Bytes, keeper: &Keeper) {
    // What is wrong with it the peer is told; the talk has ended then.
    let handled = framing.handle(now, frame, &mut |offset| frame.slice(offset..));
    if handled == Err(Fault::Oversize) {
        keeper.metrics().limit_reached(Limit::MaxFramedMessage);
    }
}
