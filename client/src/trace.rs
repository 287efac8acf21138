//! What happened, and when: always on, and cheap.

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

use futures_core::Stream;
use futures_util::stream;
use hola_webrtc_protocol::{Side, Step, TraceData, TraceEvent};

use crate::{changes::Changes, clock, observer::Observer};

/// The events of one connection, from the first step on. Clones share them.
///
/// It grows with what happens to the connection, not with the messages.
#[derive(Clone)]
pub struct Trace(Rc<Record>);

struct Record {
    observer: Rc<dyn Observer>,
    last_step: Cell<Option<Step>>,
    start: f64,
    events: RefCell<Vec<TraceEvent>>,
    ended: Cell<bool>,
    #[cfg(feature = "events")]
    server_events: RefCell<Option<String>>,
    changes: Changes,
}

impl Trace {
    /// Time counts from now.
    pub(crate) fn new(observer: Rc<dyn Observer>) -> Self {
        Self(Rc::new(Record {
            observer,
            last_step: Cell::default(),
            start: clock::now(),
            events: RefCell::default(),
            ended: Cell::new(false),
            #[cfg(feature = "events")]
            server_events: RefCell::default(),
            changes: Changes::default(),
        }))
    }

    /// All events up to now.
    pub fn events(&self) -> Vec<TraceEvent> {
        self.0.events.borrow().clone()
    }

    /// All events from the first on, then each as it comes. Ends when the connection is gone.
    pub fn subscribe(&self) -> impl Stream<Item = TraceEvent> + Unpin + use<> {
        let record = Rc::clone(&self.0);
        Box::pin(stream::unfold((record, 0), |(record, index)| async move {
            let event = record
                .changes
                .until(|| match record.events.borrow().get(index) {
                    Some(event) => Some(Some(event.clone())),
                    None => record.ended.get().then_some(None),
                })
                .await?;
            Some((event, (record, index + 1)))
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
        self.0.events.borrow_mut().push(event);
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
    fn time_never_goes_back() {
        let trace = Trace::new(Rc::new(Native));
        for _ in 0..100 {
            trace.client(Step::CreateOffer, TraceData::Began);
        }
        assert!(trace.events().is_sorted_by_key(|event| event.at));
    }
}
