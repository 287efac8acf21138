//! The server's half of a session's trace: a bounded list that any number of readers follow.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use hola_webrtc_protocol::{Side, Step, TraceData, TraceEvent};
use tokio::sync::watch;

use crate::offer::ServerEvent;

/// How many events a session remembers. Beyond it, only the last one, its end, is added: a peer that opens and
/// closes channels over and over makes nothing grow.
const MAX_EVENTS: usize = 256;

pub(crate) struct Journal {
    began: Instant,
    began_at: SystemTime,
    events: Mutex<Vec<Event>>,
    /// How many events there are, and whether more may follow.
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    events: usize,
    has_ended: bool,
}

struct Event {
    at: Duration,
    step: Step,
    side: Side,
    data: TraceData,
}

impl Journal {
    /// A journal whose clock starts now.
    #[expect(clippy::disallowed_methods, reason = "read once, for those who look at the events")]
    pub(crate) fn new(now: Instant) -> Self {
        Self::of(now, SystemTime::now())
    }

    /// A journal that begins at this time by either clock.
    fn of(began: Instant, began_at: SystemTime) -> Self {
        Self { began, began_at, events: Mutex::default(), progress: watch::Sender::default() }
    }

    /// Something happened here.
    pub(crate) fn note(&self, now: Instant, step: Step, data: TraceData) {
        self.write(now, step, Side::Server, data, false);
    }

    /// The client let something be known.
    pub(crate) fn note_of_client(&self, now: Instant, step: Step, data: TraceData) {
        self.write(now, step, Side::Client, data, false);
    }

    /// The last event.
    pub(crate) fn end(&self, now: Instant, step: Step, data: TraceData) {
        self.write(now, step, Side::Server, data, true);
    }

    /// Follows the journal from an event on, unless as many do already as may.
    pub(crate) fn read(&self, next: usize, max_readers: usize) -> Option<Reader> {
        // Two who come at once may both find room: the limit is about memory, not about the number.
        (self.progress.receiver_count() < max_readers)
            .then(|| Reader { progress: self.progress.subscribe(), next })
    }

    fn write(&self, now: Instant, step: Step, side: Side, data: TraceData, is_last: bool) {
        let at = now.saturating_duration_since(self.began);
        let mut events = self.lock();
        if is_last || events.len() < MAX_EVENTS {
            events.push(Event { at, step, side, data });
        }
        let events = events.len();
        self.progress.send_modify(|progress| {
            *progress = Progress { events, has_ended: progress.has_ended || is_last };
        });
    }

    fn event(&self, number: usize) -> Option<ServerEvent> {
        let events = self.lock();
        let Event { at, step, side, data } = events.get(number)?;
        let event = TraceEvent { step: *step, side: *side, at: at.as_secs_f64() * 1e3, data: data.clone() };
        // By the monotonic clock, so that a jump of the wall clock does not turn the order around.
        Some(ServerEvent { number: number as u64, time: self.began_at + *at, event })
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a journal.
pub(crate) struct Reader {
    progress: watch::Receiver<Progress>,
    next: usize,
}

impl Reader {
    /// The next event, as soon as it is there; `None` after the last.
    pub(crate) async fn next(&mut self, journal: &Journal) -> Option<ServerEvent> {
        let next = self.next;
        let is_decided = |progress: &Progress| progress.events > next || progress.has_ended;
        // The sender lives in the journal, so the wait cannot fail.
        self.progress.wait_for(is_decided).await.ok()?;
        let event = journal.event(next)?;
        self.next += 1;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const STEP: Step = Step::OpenChannel;

    #[test]
    fn a_reader_sees_every_event_in_order_then_waits_then_ends() {
        let now = Instant::now();
        let journal = Journal::new(now);
        journal.note(now + Duration::from_millis(5), STEP, TraceData::Began);
        let mut reader = journal.read(0, 1).unwrap();
        let first = reader.next(&journal).now_or_never().flatten().unwrap();
        assert_eq!((first.number, first.event.at, first.event.side), (0, 5.0, Side::Server));
        assert!(reader.next(&journal).now_or_never().is_none(), "it waits");

        journal.end(now, STEP, TraceData::Done { took: 1.0 });
        assert_eq!(reader.next(&journal).now_or_never().flatten().unwrap().number, 1);
        assert_eq!(reader.next(&journal).now_or_never(), Some(None));
        assert_eq!(journal.read(1, 9).unwrap().next(&journal).now_or_never().flatten().unwrap().number, 1);
        assert_eq!(journal.read(9, 9).unwrap().next(&journal).now_or_never(), Some(None));
    }

    #[test]
    fn the_wall_clock_of_the_beginning_dates_all_events_however_it_is_set_since() {
        const DAY: Duration = Duration::from_hours(24);
        let now = Instant::now();
        let set_back = SystemTime::UNIX_EPOCH + DAY;
        let set_forward = SystemTime::UNIX_EPOCH + 40_000 * DAY;
        for began_at in [set_back, set_forward] {
            let journal = Journal::of(now, began_at);
            for second in 0..3 {
                journal.note(now + Duration::from_secs(second), STEP, TraceData::Began);
            }
            let times = [0, 1, 2].map(|number| journal.event(number).unwrap().time);
            assert_eq!(times, [0, 1, 2].map(|second| began_at + Duration::from_secs(second)));
        }
    }

    #[test]
    fn a_journal_is_bounded_and_its_end_is_always_told() {
        let now = Instant::now();
        let journal = Journal::new(now);
        for _ in 0..10 * MAX_EVENTS {
            journal.note(now, STEP, TraceData::Began);
        }
        journal.end(now, STEP, TraceData::Done { took: 0.0 });
        assert_eq!(journal.lock().len(), MAX_EVENTS + 1);
        assert_eq!(journal.event(MAX_EVENTS).unwrap().event.data, TraceData::Done { took: 0.0 });
    }
}
