//! The trace, folded into what the page shows of each step.
//!
//! There is no browser in here: events go in, the state of the fifteen steps and parts of steps comes out.

use hola_webrtc_protocol::{SessionId, Side, StateMachine, Step, TraceData, TraceEvent};

use crate::step_data::StepData;

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
mod tests {
    use StepState::{Active, Done, Failed, Pending};

    use super::*;

    /// What a browser and a server did, as the client traced it; shortened.
    const TRACE: &str = include_str!("../fixtures/trace.jsonl");

    fn events() -> Vec<TraceEvent> {
        TRACE.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn after(events: &[TraceEvent]) -> Steps {
        let mut steps = Steps::default();
        for event in events {
            steps.apply(event);
        }
        steps
    }

    fn until(is_last: impl Fn(&TraceEvent) -> bool) -> Steps {
        let events = events();
        let last = events.iter().position(is_last).unwrap();
        after(&events[..=last])
    }

    fn states(steps: &Steps) -> [StepState; 8] {
        [1, 2, 3, 4, 5, 6, 7, 8].map(|number| steps.overview(number).state)
    }

    #[test]
    fn a_whole_negotiation_leaves_every_step_done_and_every_datum_in_its_step() {
        let steps = after(&events());
        assert_eq!(states(&steps), [Done; 8]);
        assert_eq!(
            steps.session().map(|id| id.to_string()).as_deref(),
            Some("3f2a91bc00112233445566778899aabb")
        );
        assert!(
            steps
                .data(Step::CreateOffer)
                .description
                .as_ref()
                .is_some_and(|offer| offer.sdp.starts_with("v=0"))
        );
        assert_eq!(steps.data(Step::SetLocalOffer).candidates.len(), 2);
        assert!(steps.data(Step::SetLocalAnswer).description.is_some());
        assert!(steps.data(Step::CheckConnectivity).pair.is_some());
        assert_eq!(steps.data(Step::OpenChannel).channel.as_ref().map(|channel| channel.id), Some(1));
        assert!(steps.data(Step::CreatePeerConnection).is_empty());
        assert_eq!(steps.opened_at(), Some(34.5));
    }

    #[test]
    fn the_server_is_at_work_from_the_request_to_the_reply() {
        let asked = until(|event| matches!(event.data, TraceData::Request { .. }));
        assert_eq!(states(&asked), [Done, Done, Done, Done, Active, Active, Pending, Pending]);
        let answered =
            until(|event| event.step == Step::SetLocalAnswer && event.data == TraceData::Done { took: 0.3 });
        assert_eq!(states(&answered)[4..], [Done, Done, Pending, Pending]);
        // Its length is the server's own, as its parts add up.
        assert!(answered.overview(6).took.is_some_and(|took| (took - 1.1).abs() < 1e-9));
    }

    #[test]
    fn a_server_that_sends_no_timings_has_answered_all_the_same() {
        let events: Vec<_> = events().into_iter().filter(|event| event.step.number() != 6).collect();
        let steps = after(&events);
        assert_eq!(states(&steps), [Done; 8]);
        assert_eq!(steps.overview(6).took, None);
    }

    #[test]
    fn candidates_that_come_late_do_not_reopen_their_step() {
        let steps = until(|event| event.at > 20.0 && matches!(event.data, TraceData::Candidate { .. }));
        assert_eq!(steps.overview(4).state, Done);
        assert_eq!(steps.data(Step::SetLocalOffer).candidates.len(), 2);
    }

    #[test]
    fn a_step_with_parts_lasts_from_the_first_to_the_last_of_them() {
        let checking = until(|event| event.step == Step::HandshakeDtls);
        assert_eq!(checking.overview(8).state, Active);
        assert_eq!(checking.overview(8).took, None);
        let Progress { at, took, .. } = after(&events()).overview(8);
        assert_eq!((at, took), (Some(22.5), Some(12.0)));
    }

    #[test]
    fn a_failure_stays_with_its_step() {
        let mut events = events();
        let request =
            events.iter().position(|event| matches!(event.data, TraceData::Request { .. })).unwrap();
        events.truncate(request + 1);
        events.push(TraceEvent {
            step: Step::SendOffer,
            side: Side::Client,
            at: 99.0,
            data: TraceData::Failed {
                phase: hola_webrtc_protocol::Phase::Signalling,
                message: "no reply".into(),
            },
        });
        let steps = after(&events);
        assert_eq!(states(&steps), [Done, Done, Done, Done, Failed, Pending, Pending, Pending]);
        assert!(steps.data(Step::SendOffer).failure.is_some());
        assert_eq!(steps.overview(6), Progress::default());
    }

    #[test]
    fn a_silent_connection_is_one_whose_ice_is_disconnected() {
        let mut steps = after(&events());
        let mut turn = |state: &str| {
            let data = TraceData::State { machine: StateMachine::IceConnection, state: state.to_owned() };
            steps.apply(&TraceEvent { step: Step::CheckConnectivity, side: Side::Client, at: 5000.0, data });
            steps.is_silent()
        };
        assert!(turn("disconnected"));
        assert!(!turn("connected"));
    }
}
