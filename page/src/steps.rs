//! The trace, folded into what the page shows of each step.
//!
//! There is no browser in here: events go in, the state of the fifteen steps and parts of steps comes out.

use hola_webrtc_protocol::{SessionId, Side, StateMachine, Step, TraceData, TraceEvent};

use crate::step_data::{StepData, Watched};

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepState {
    #[default]
    Pending,
    Active,
    Done,
    Failed,
}

impl StepState {
    /// The word for it in the `data-state` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A step, or all parts of one together: how far it is, since when, and how long it took. Times are in
/// milliseconds, `at` since the negotiation began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    pub state: StepState,
    pub at: Option<f64>,
    pub took: Option<f64>,
}

/// The negotiation as far as the trace has told it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    steps: [(Progress, StepData); Step::ALL.len()],
}

impl Steps {
    /// Takes in the next event of the trace.
    pub fn apply(&mut self, event: &TraceEvent) {
        let TraceEvent { step, at, data: event_data, .. } = event;
        match event_data {
            TraceData::Began => {
                self.finish_before(*step);
                let progress = self.progress_mut(*step);
                progress.state = StepState::Active;
                progress.at = Some(*at);
            }
            TraceData::Done { took } => {
                self.finish_before(*step);
                let progress = self.progress_mut(*step);
                progress.state = StepState::Done;
                progress.took = Some(*took);
                progress.at.get_or_insert((at - took).max(0.0));
            }
            TraceData::Failed { .. } => {
                let progress = self.progress_mut(*step);
                progress.state = StepState::Failed;
                progress.at.get_or_insert(*at);
            }
            _ => {}
        }
        self.data_mut(*step).add(*at, event_data);
    }

    /// Takes in the next event that the server tells of its side.
    pub fn watch(&mut self, event: &TraceEvent) {
        let TraceEvent { step, at, data, .. } = event;
        self.data_mut(*step).watched.push(Watched { at: *at, data: data.clone() });
    }

    /// When the offer arrived at the server, in milliseconds since the negotiation began. The clocks of two machines need not
    /// agree: the way there is taken to be as long as the way back.
    pub fn arrived_at(&self) -> Option<f64> {
        let Progress { at, took, .. } = self.progress(Step::SendOffer);
        let there = parts(6).filter_map(|part| self.progress(part).took).sum::<f64>();
        Some(at? + (took? - there).max(0.0) / 2.0)
    }

    /// How far a step or a part of a step is.
    pub fn progress(&self, step: Step) -> Progress {
        self.steps[index(step)].0
    }

    /// What became known in it.
    pub fn data(&self, step: Step) -> &StepData {
        &self.steps[index(step)].1
    }

    /// How far a step is as a whole, with all its parts, 1 to 8.
    pub fn overview(&self, number: u8) -> Progress {
        let parts = || parts(number).map(|part| self.progress(part));
        let began = |progress: Progress| progress.state != StepState::Pending;
        let state = if parts().any(|part| part.state == StepState::Failed) {
            StepState::Failed
        } else if parts().all(|part| part.state == StepState::Done) {
            StepState::Done
        } else if parts().any(began) || (number == 6 && self.server_is_answering()) {
            StepState::Active
        } else {
            StepState::Pending
        };
        if number == 6 && state != StepState::Pending {
            // The server's parts come with the reply, and the server's clock is not ours: what the browser
            // can tell is when it turned to the server. How long it took the server says.
            let at = self.progress(Step::SendOffer).at;
            let took = parts().filter_map(|part| part.took).reduce(|sum, took| sum + took);
            return Progress { state, at, took };
        }
        let at = parts().filter_map(|part| part.at).reduce(f64::min);
        let end = parts().filter_map(|part| Some(part.at? + part.took?)).reduce(f64::max);
        let took = if state == StepState::Done { at.zip(end).map(|(at, end)| end - at) } else { None };
        Progress { state, at, took }
    }

    /// The session, once the server has named it.
    pub fn session(&self) -> Option<SessionId> {
        self.data(Step::SendOffer).response.as_ref().and_then(|(_, session)| *session)
    }

    /// When the channel opened, in milliseconds since the negotiation began.
    pub fn opened_at(&self) -> Option<f64> {
        let Progress { state, at, took } = self.progress(Step::OpenChannel);
        (state == StepState::Done).then(|| at.zip(took).map(|(at, took)| at + took))?
    }

    /// Nothing comes from the other side at the moment; it may come back.
    pub fn is_silent(&self) -> bool {
        let states = &self.data(Step::CheckConnectivity).states;
        let last = states.iter().rfind(|change| change.machine == StateMachine::IceConnection);
        last.is_some_and(|change| change.state == "disconnected")
    }

    /// The request is out and the reply is not there yet.
    fn server_is_answering(&self) -> bool {
        let data = self.data(Step::SendOffer);
        data.request.is_some()
            && data.response.is_none()
            && self.progress(Step::SendOffer).state == StepState::Active
    }

    /// A step that begins or ends proves that those before it are over, even where nobody reported their end, as
    /// with a server that sends no timings.
    fn finish_before(&mut self, step: Step) {
        for (progress, _) in &mut self.steps[..index(step)] {
            if progress.state != StepState::Failed {
                progress.state = StepState::Done;
            }
        }
    }

    fn progress_mut(&mut self, step: Step) -> &mut Progress {
        &mut self.steps[index(step)].0
    }

    fn data_mut(&mut self, step: Step) -> &mut StepData {
        &mut self.steps[index(step)].1
    }
}

/// The parts of the step with this number, or the step itself if it has none.
pub fn parts(number: u8) -> impl Iterator<Item = Step> {
    Step::ALL.into_iter().filter(move |step| step.number() == number)
}

/// Who acts in the step with this number; `None` for both.
pub fn actor(number: u8) -> Option<Side> {
    parts(number).next().and_then(Step::side)
}

fn index(step: Step) -> usize {
    // `Step::ALL` names every step, in the order that `Step` declares.
    Step::ALL.binary_search(&step).unwrap_or_default()
}

#[cfg(test)]
mod tests;
