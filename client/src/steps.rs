//! What surrounds each step: the gate before it, the deadline over it, the trace about it.

use std::{cell::Cell, time::Duration};

use futures_util::future::{Either, LocalBoxFuture, select};
use gloo_timers::future::TimeoutFuture;
use hola_webrtc_protocol::{SessionDescription, Side, Step, TraceData, sdp};
use web_time::Instant;

use crate::{ConnectOptions, ErrorKind, Gate, Reply, RtcError, Trace};

/// Takes the steps of one negotiation.
pub(crate) struct Steps {
    trace: Trace,
    gate: Option<Gate>,
    deadline: Duration,
    left: Cell<Duration>,
}

impl Steps {
    pub(crate) fn new(options: &ConnectOptions, trace: Trace) -> Self {
        let deadline = options.deadline;
        Self { trace, gate: options.gate.clone(), deadline, left: Cell::new(deadline) }
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Takes one step: passes the gate, then runs it within what is left of the deadline.
    pub(crate) async fn take<T>(
        &self,
        step: Step,
        run: impl AsyncFnOnce() -> Result<T, RtcError>,
    ) -> Result<T, RtcError> {
        let mut outcome = None;
        let run = async { outcome.insert(run().await).as_ref().err().cloned() };
        self.surround(step, Box::pin(run)).await;
        outcome.unwrap_or_else(|| Err(self.deadline_passed(step)))
    }

    /// What is the same for all steps, whatever they result in, so that it is compiled once. `run` tells its error.
    async fn surround(&self, step: Step, run: LocalBoxFuture<'_, Option<RtcError>>) {
        if let Some(gate) = &self.gate {
            gate.pass(step).await;
        }
        self.trace.client(step, TraceData::Began);
        let start = Instant::now();
        let error = match select(run, TimeoutFuture::new(millis(self.left.get()))).await {
            Either::Left((error, _)) => error,
            Either::Right(_) => Some(self.deadline_passed(step)),
        };
        let took = start.elapsed();
        self.left.set(self.left.get().saturating_sub(took));
        if let Some(error) = error {
            let failed = TraceData::Failed { phase: error.phase, message: error.to_string() };
            self.trace.client(error.step, failed);
            self.trace.end();
        } else {
            self.trace.client(step, TraceData::Done { took: took.as_secs_f64() * 1e3 });
        }
    }

    fn deadline_passed(&self, step: Step) -> RtcError {
        let cause = format!("connecting took longer than {} ms", millis(self.deadline));
        RtcError::new(step, ErrorKind::Timeout, cause)
    }

    /// Tells the parts of step 6 as the reply describes them, and hands on the answer.
    pub(crate) fn taken_by_the_server(&self, reply: Reply) -> SessionDescription {
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
    u32::try_from(duration.as_millis()).map_or(i32::MAX.unsigned_abs(), |ms| ms.min(i32::MAX.unsigned_abs()))
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
