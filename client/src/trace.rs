//! What happened, and when: always on, and cheap.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::Rc,
};

use futures_core::Stream;
use futures_util::stream;
use hola_webrtc_protocol::{Side, Step, TraceData, TraceEvent};

use crate::{changes::Changes, clock, observer::Observer};

/// The events of one connection, from the first step on. Clones share them.
///
/// It grows with what happens to the connection, not with the messages, and keeps the last [`Trace::KEPT`].
#[derive(Clone)]
pub struct Trace(Rc<Record>);

struct Record {
    observer: Rc<dyn Observer>,
    last_step: Cell<Option<Step>>,
    start: f64,
    events: RefCell<VecDeque<TraceEvent>>,
    /// How many came before those.
    forgotten: Cell<usize>,
    ended: Cell<bool>,
    #[cfg(feature = "events")]
    server_events: RefCell<Option<String>>,
    changes: Changes,
}

impl Trace {
    /// How many events are kept: a [`Session`](crate::Session) that tries to connect again for ever forgets how it began.
    pub const KEPT: usize = 1000;

    /// Time counts from now.
    pub(crate) fn new(observer: Rc<dyn Observer>) -> Self {
        Self(Rc::new(Record {
            observer,
            last_step: Cell::default(),
            start: clock::now(),
            events: RefCell::default(),
            forgotten: Cell::new(0),
            ended: Cell::new(false),
            #[cfg(feature = "events")]
            server_events: RefCell::default(),
            changes: Changes::default(),
        }))
    }

    /// The events up to now.
    pub fn events(&self) -> Vec<TraceEvent> {
        self.0.events.borrow().iter().cloned().collect()
    }

    /// The events up to now, then each as it comes. Ends when the connection is gone.
    pub fn subscribe(&self) -> impl Stream<Item = TraceEvent> + Unpin + use<> {
        let record = Rc::clone(&self.0);
        Box::pin(stream::unfold((record, 0), |(record, number)| async move {
            let next = || {
                let forgotten = record.forgotten.get();
                // A reader that is slow misses what is forgotten.
                let number = number.max(forgotten);
                match record.events.borrow().get(number - forgotten) {
                    Some(event) => Some(Some((event.clone(), number + 1))),
                    None => record.ended.get().then_some(None),
                }
            };
            let (event, number) = record.changes.until(next).await?;
            Some((event, (record, number)))
        }))
    }

    /// Where the server tells its half of the trace, as Server-Sent Events: known from its reply on, if the reply links to
    /// them. Who knows the URL can watch the session. The npm package does without.
    #[cfg(feature = "events")]
    pub fn server_events(&self) -> Option<String> {
        self.0.server_events.borrow().clone()
    }

    #[cfg(feature = "events")]
    pub(crate) fn tell_server_events(&self, url: Option<String>) {
        self.0.server_events.replace(url);
    }

    /// Adds an event, unless the trace has ended. For a [`Signaller`](crate::Signaller), which alone knows
    /// what it sends.
    pub fn record(&self, step: Step, side: Side, data: TraceData) {
        if !self.0.ended.get() {
            let at = clock::now() - self.0.start;
            self.0.last_step.set(Some(step));
            self.0.observer.recorded(self, TraceEvent { step, side, at, data });
        }
    }

    /// Keeps an event for those who ask.
    pub(crate) fn keep(&self, event: TraceEvent) {
        let mut events = self.0.events.borrow_mut();
        events.push_back(event);
        if events.len() > Self::KEPT {
            events.pop_front();
            self.0.forgotten.update(|forgotten| forgotten + 1);
        }
        drop(events);
        self.0.changes.notify();
    }

    /// Adds an event of this side.
    pub(crate) fn client(&self, step: Step, data: TraceData) {
        self.record(step, Side::Client, data);
    }

    /// The step of the last event.
    pub(crate) fn last_step(&self) -> Option<Step> {
        self.0.last_step.get()
    }

    /// Nothing follows.
    pub(crate) fn end(&self) {
        self.0.ended.set(true);
        self.0.changes.notify();
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trace").field(&self.0.events.borrow()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::observer::Native;

    #[test]
    fn a_late_subscriber_gets_every_event_and_then_the_end() {
        let trace = Trace::new(Rc::new(Native));
        trace.client(Step::CreatePeerConnection, TraceData::Began);
        let mut events = trace.subscribe();
        assert_eq!(events.next().now_or_never().flatten().unwrap().data, TraceData::Began);
        assert!(events.next().now_or_never().is_none());
        trace.client(Step::CreatePeerConnection, TraceData::Done { took: 1.0 });
        trace.end();
        trace.client(Step::CreateOffer, TraceData::Began);
        assert_eq!(events.next().now_or_never().flatten().unwrap().data, TraceData::Done { took: 1.0 });
        assert_eq!(events.next().now_or_never(), Some(None));
        assert_eq!(trace.events().len(), 2);
    }

    #[test]
    fn the_last_events_are_kept_and_a_slow_subscriber_goes_on_with_the_first_of_them() {
        let trace = Trace::new(Rc::new(Native));
        let (mut slow, mut swift) = (trace.subscribe(), trace.subscribe());
        let number = |event: Option<TraceEvent>| match event.map(|event| event.data) {
            Some(TraceData::Attempt { number, .. }) => number,
            other => panic!("{other:?}"),
        };
        let kept = u32::try_from(Trace::KEPT).unwrap();
        for count in 0..kept + 10 {
            trace.client(Step::CreateOffer, TraceData::Attempt { number: count, wait: 0.0 });
            assert_eq!(number(swift.next().now_or_never().flatten()), count);
        }
        assert_eq!(trace.events().len(), Trace::KEPT);
        assert_eq!(number(slow.next().now_or_never().flatten()), 10);
        assert_eq!(number(slow.next().now_or_never().flatten()), 11);
    }

    #[test]
    fn time_never_goes_back() {
        let trace = Trace::new(Rc::new(Native));
        for _ in 0..100 {
            trace.client(Step::CreateOffer, TraceData::Began);
        }
        assert!(trace.events().is_sorted_by_key(|event| event.at));
    }
}
