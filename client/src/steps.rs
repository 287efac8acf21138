//! What surrounds each step: the gate before it, the deadline over it, the trace about it.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use gloo_timers::callback::Timeout;
use hola_webrtc_protocol::{SessionDescription, Side, Step, TraceData, sdp};

use crate::{ConnectOptions, ErrorKind, Gate, Reply, RtcError, Trace, changes::Changes, clock, sys};

/// The steps of one negotiation, one after the other.
pub(crate) struct Steps {
    trace: Trace,
    gate: Option<Gate>,
    deadline: u32,
    /// The step that is being taken, and since when.
    current: Cell<Option<(Step, f64)>>,
    timer: RefCell<Option<Timeout>>,
    /// Milliseconds that all steps together have taken, without the present one.
    spent: Cell<f64>,
    late: Rc<Late>,
}

/// Whether the deadline has passed.
#[derive(Default)]
struct Late {
    is: Cell<bool>,
    changes: Changes,
}

impl Steps {
    pub(crate) fn new(options: &ConnectOptions, trace: Trace) -> Self {
        Self {
            trace,
            gate: options.gate.clone(),
            deadline: millis(options.deadline),
            current: Cell::default(),
            timer: RefCell::default(),
            spent: Cell::new(0.0),
            late: Rc::default(),
        }
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The last step is done, if there was one, and the next one begins, as soon as the gate lets it.
    pub(crate) async fn begin(&self, step: Step) {
        self.finish();
        if let Some(gate) = &self.gate {
            gate.pass(step).await;
        }
        self.trace.client(step, TraceData::Began);
        self.current.set(Some((step, clock::now())));
        let late = Rc::clone(&self.late);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let left = (f64::from(self.deadline) - self.spent.get()) as u32;
        self.timer.replace(Some(sys::after(
            left,
            Box::new(move || {
                late.is.set(true);
                late.changes.notify();
            }),
        )));
    }

    /// The last step is done.
    pub(crate) fn finish(&self) {
        self.timer.take();
        if let Some((step, since)) = self.current.take() {
            let took = clock::now() - since;
            self.spent.set(self.spent.get() + took);
            self.trace.client(step, TraceData::Done { took });
        }
    }

    /// Runs all steps within the deadline, and tells of the one that fails.
    pub(crate) async fn run<T>(
        &self,
        mut steps: Pin<&mut dyn Future<Output = Result<T, RtcError>>>,
    ) -> Result<T, RtcError> {
        let outcome = poll_fn(|context| {
            if let Poll::Ready(outcome) = steps.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            self.late.changes.poll(context, || self.late.is.get().then(|| Err(self.deadline_passed())))
        })
        .await;
        self.timer.take();
        if let Err(error) = &outcome {
            self.trace.client(error.step, error.trace_data());
            self.trace.end();
        }
        outcome
    }

    fn deadline_passed(&self) -> RtcError {
        let step = self.current.get().map_or(Step::CreatePeerConnection, |(step, _)| step);
        let cause = ["connecting took longer than ", &self.deadline.to_string(), " ms"].concat();
        RtcError::new(step, ErrorKind::Timeout, cause)
    }

    /// Tells the parts of step 6 as the reply describes them, and hands on the answer.
    pub(crate) fn taken_by_the_server(&self, reply: Reply) -> SessionDescription {
        self.finish();
        let tell = |step, data| self.trace.record(step, Side::Server, data);
        for (step, took) in reply.timings {
            tell(step, TraceData::Done { took: took.as_secs_f64() * 1e3 });
        }
        for candidate in sdp::candidates(&reply.answer.sdp) {
            tell(Step::AddHostCandidates, TraceData::Candidate { candidate });
        }
        tell(Step::SetLocalAnswer, TraceData::Description { description: reply.answer.clone() });
        reply.answer
    }
}

/// As a timer takes it: browsers count milliseconds in 31 bits.
pub(crate) fn millis(duration: Duration) -> u32 {
    let millis = duration.as_secs().saturating_mul(1000).saturating_add(duration.subsec_millis().into());
    u32::try_from(millis).map_or(i32::MAX.unsigned_abs(), |ms| ms.min(i32::MAX.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_never_overflows_into_firing_at_once() {
        assert_eq!(millis(Duration::from_millis(1500)), 1500);
        assert_eq!(millis(Duration::MAX), 2_147_483_647);
        assert_eq!(millis(Duration::from_millis(1 << 31)), 2_147_483_647);
    }
}
