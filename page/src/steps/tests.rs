//! What the page shows after a trace.

use StepState::{Active, Done, Failed, Pending};

use super::*;

/// What a browser and a server did, as the client traced it; shortened.
const TRACE: &str = include_str!("../../fixtures/trace.jsonl");

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
    assert_eq!(steps.session().map(|id| id.to_string()).as_deref(), Some("3f2a91bc00112233445566778899aabb"));
    assert!(
        steps.data(Step::CreateOffer).description.as_ref().is_some_and(|offer| offer.sdp.starts_with("v=0"))
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
    let request = events.iter().position(|event| matches!(event.data, TraceData::Request { .. })).unwrap();
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
fn what_the_server_tells_is_placed_between_the_request_and_the_reply() {
    let mut steps = after(&events());
    // 13 ms from the request to the reply, of which the server's own part took 1.1 ms.
    assert!(steps.arrived_at().is_some_and(|at| (at - 12.95).abs() < 1e-9), "{:?}", steps.arrived_at());
    let data = TraceData::Began;
    steps.watch(&TraceEvent { step: Step::BuildPeer, side: Side::Server, at: 0.5, data: data.clone() });
    assert_eq!(steps.data(Step::BuildPeer).watched, [Watched { at: 0.5, data }]);
    assert_eq!(states(&steps), [Done; 8]);
    assert_eq!(Steps::default().arrived_at(), None);
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
