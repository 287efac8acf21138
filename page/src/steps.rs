//! The trace, folded into what the page shows of each step.
//!
//! There is no browser in here: events go in, the state of the fifteen steps and parts of steps comes out.

use hola_webrtc_protocol::{
    Candidate, Phase, SessionDescription, SessionId, Side, StateMachine, Step, TraceData, TraceEvent,
};

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

/// A move of a state machine.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    pub at: f64,
    pub machine: StateMachine,
    pub state: String,
}

/// A STUN or TURN server that gave no candidate.
#[derive(Clone, Debug, PartialEq)]
pub struct CandidateFailure {
    pub url: String,
    pub code: u16,
    pub text: String,
}

/// The channel, once it is open.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedChannel {
    pub label: String,
    pub id: u16,
    pub max_message_size: u32,
}

/// What became known in a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepData {
    pub description: Option<SessionDescription>,
    pub candidates: Vec<Candidate>,
    pub candidate_failures: Vec<CandidateFailure>,
    pub states: Vec<StateChange>,
    /// URL and length of the body in bytes.
    pub request: Option<(String, u32)>,
    /// HTTP status and the session, if the server named one.
    pub response: Option<(u16, Option<SessionId>)>,
    /// The local and the remote candidate that ICE chose.
    pub pair: Option<(Candidate, Candidate)>,
    pub channel: Option<OpenedChannel>,
    pub failure: Option<(Phase, String)>,
}

impl StepData {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
        if number == 6 {
            // The server's parts come with the reply, and the server's clock is not ours: what the browser
            // can tell is when its request left.
            return Progress { state, ..self.answering() };
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

    /// Step 6 on the browser's clock: from the step that sends the offer; its length is what the server says.
    fn answering(&self) -> Progress {
        let at = self.data(Step::SendOffer).request.as_ref().and(self.progress(Step::SendOffer).at);
        let took = parts(6).filter_map(|part| self.progress(part).took).reduce(|sum, took| sum + took);
        Progress { at, took, ..Progress::default() }
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

impl StepData {
    fn add(&mut self, at: f64, data: &TraceData) {
        match data.clone() {
            TraceData::Description { description } => self.description = Some(description),
            TraceData::Candidate { candidate } if !self.candidates.contains(&candidate) => {
                self.candidates.push(candidate);
            }
            TraceData::CandidateError { url, code, text } => {
                self.candidate_failures.push(CandidateFailure { url, code, text });
            }
            TraceData::State { machine, state } => self.states.push(StateChange { at, machine, state }),
            TraceData::Request { url, bytes } => self.request = Some((url, bytes)),
            TraceData::Response { status, session } => self.response = Some((status, session)),
            TraceData::CandidatePair { local, remote } => self.pair = Some((local, remote)),
            TraceData::Channel { label, id, max_message_size } => {
                self.channel = Some(OpenedChannel { label, id, max_message_size });
            }
            TraceData::Failed { phase, message } => self.failure = Some((phase, message)),
            // Progress, a candidate told twice, who closed, and what later versions may tell.
            _ => {}
        }
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
