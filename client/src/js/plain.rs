//! Plain objects, as JavaScript reads them. By hand: what Serde would add weighs more than all of this.

use hola_webrtc_protocol::{Candidate, Problem};
use js_sys::Object;
use wasm_bindgen::JsCast;

use crate::{
    ErrorKind, RtcError, TraceData, TraceEvent,
    object::{self, Plain},
};

/// An event. What it tells stands beside what all events have, as in its JSON.
pub(super) fn event(event: &TraceEvent) -> Object {
    let plain = Plain::empty();
    plain.set_text("step", event.step.label());
    plain.set_text("side", event.side.name());
    plain.set_number("at", event.at);
    plain.set_text("event", event.data.name());
    match &event.data {
        TraceData::Done { took } => plain.set_number("took", *took),
        TraceData::Description { description: told } => {
            plain.set("description", &object::of_description(told));
        }
        TraceData::Candidate { candidate: told } => plain.set("candidate", &candidate(told)),
        TraceData::CandidateError { url, code, text } => {
            plain.set_text("url", url);
            plain.set_number("code", (*code).into());
            plain.set_text("text", text);
        }
        TraceData::State { machine, state } => {
            plain.set_text("machine", machine.name());
            plain.set_text("state", state);
        }
        TraceData::Request { url, bytes } => {
            plain.set_text("url", url);
            plain.set_number("bytes", (*bytes).into());
        }
        TraceData::Response { status, session } => {
            plain.set_number("status", (*status).into());
            if let Some(session) = session {
                plain.set_text("session", &session.digits());
            }
        }
        TraceData::CandidatePair { local, remote } => {
            plain.set("local", &candidate(local));
            plain.set("remote", &candidate(remote));
        }
        TraceData::Channel { label, id, max_message_size } => {
            plain.set_text("label", label);
            plain.set_number("id", (*id).into());
            plain.set_number("max_message_size", (*max_message_size).into());
        }
        TraceData::ChannelClosed { id, reason } => {
            plain.set_number("id", (*id).into());
            plain.set_text("reason", reason);
        }
        TraceData::Failed { phase, message } => {
            plain.set_text("phase", phase.name());
            plain.set_text("message", message);
        }
        TraceData::Closed { by, reason } => {
            plain.set_text("by", by.name());
            if let Some(reason) = reason {
                plain.set_text("reason", reason);
            }
        }
        _ => {}
    }
    plain.unchecked_into()
}

fn candidate(candidate: &Candidate) -> Plain {
    let plain = Plain::empty();
    plain.set_text("foundation", &candidate.foundation);
    plain.set_number("component", candidate.component.into());
    plain.set_text("transport", &candidate.transport);
    plain.set_number("priority", candidate.priority.into());
    plain.set_text("address", &candidate.address);
    plain.set_number("port", candidate.port.into());
    plain.set_text("type", candidate.kind.as_str());
    plain
}

/// What the class `RtcError` is made of.
pub(super) fn error(error: &RtcError) -> Object {
    let plain = Plain::empty();
    plain.set_text("message", error.cause());
    plain.set_text("phase", error.phase.name());
    plain.set_text("step", error.step.label());
    plain.set_text("kind", error.kind.name());
    plain.set_text("hint", error.hint());
    plain.set("retryable", &error.retryable().into());
    plain.set_number("retryAfter", f64::from(error.retry_after) * 1e3);
    match &error.kind {
        ErrorKind::Refused(told) => plain.set("cause", &problem(told)),
        ErrorKind::UnexpectedReply { status } => plain.set_number("cause", (*status).into()),
        _ => {}
    }
    plain.unchecked_into()
}

fn problem(problem: &Problem) -> Plain {
    let plain = Plain::empty();
    plain.set_text("code", problem.code.name());
    plain.set_number("status", problem.status.into());
    plain.set_text("title", &problem.title);
    plain.set_text("detail", &problem.detail);
    plain
}
