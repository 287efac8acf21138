//! What became known in a step: the real data that the page shows.

use hola_webrtc_protocol::{Candidate, Phase, SessionDescription, SessionId, StateMachine, TraceData};

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

/// What the server has told of its side.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Milliseconds since the offer arrived there.
    pub at: f64,
    pub data: TraceData,
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
    pub watched: Vec<Watched>,
}

impl StepData {
    /// Nothing became known yet.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes in what an event of this time tells.
    pub fn add(&mut self, at: f64, data: &TraceData) {
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
            TraceData::CandidatePair { local, remote } => self.pair = Some((*local, *remote)),
            TraceData::Channel { label, id, max_message_size } => {
                self.channel = Some(OpenedChannel { label, id, max_message_size });
            }
            TraceData::Failed { phase, message } => self.failure = Some((phase, message)),
            // Progress, a candidate told twice, who closed, and what later versions may tell.
            _ => {}
        }
    }
}
