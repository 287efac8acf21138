//! Errors, as JavaScript knows them: real `Error` objects with more to read.

use js_sys::{Error, Reflect};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{ErrorKind, Phase, RtcError, SendError};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What `connect` rejects with, and why a connection was lost. */
export interface RtcError extends Error {
    name: "RtcError";
    phase: "signalling" | "ice" | "dtls" | "sctp" | "channel";
    /** The step that failed, "1" to "8d". */
    step: string;
    kind:
        | "invalid-url" | "unsupported" | "server-unreachable" | "refused" | "unexpected-reply" | "bad-answer"
        | "timeout" | "ice-failed" | "dtls-failed" | "channel-closed" | "lost" | "js";
    /** What to do about it, in English. */
    hint: string;
    /** Whether the same call may succeed later. */
    retryable: boolean;
    /** What is beneath: the problem body of a refusal, the HTTP status, or the cause in words. */
    cause: { code: string; status: number; title: string; detail: string } | number | string;
}

/** What `send` throws. Nothing was sent. */
export interface SendError extends Error {
    name: "SendError";
    kind: "not-open" | "too-large" | "full" | "js";
}
"#;

/// An `Error` with the fields of [`RtcError`].
pub(super) fn rtc_error(error: &RtcError) -> JsValue {
    let cause = match &error.kind {
        ErrorKind::Refused(problem) => serde_wasm_bindgen::to_value(problem).unwrap_or_default(),
        ErrorKind::UnexpectedReply { status } => JsValue::from(*status),
        _ => JsValue::from(error.to_string()),
    };
    let phase = match error.phase {
        Phase::Signalling => "signalling",
        Phase::Ice => "ice",
        Phase::Dtls => "dtls",
        Phase::Sctp => "sctp",
        Phase::Channel => "channel",
    };
    let fields = [
        ("phase", phase.into()),
        ("step", error.step.label().into()),
        ("kind", error.kind.name().into()),
        ("hint", error.hint().into()),
        ("retryable", error.retryable().into()),
        ("cause", cause),
    ];
    named("RtcError", &error.to_string(), fields)
}

/// An `Error` with the fields of [`SendError`].
pub(super) fn send_error(error: &SendError) -> JsValue {
    let kind = match error {
        SendError::NotOpen => "not-open",
        SendError::TooLarge { .. } => "too-large",
        SendError::Full { .. } => "full",
        SendError::Js(_) => "js",
    };
    named("SendError", &error.to_string(), [("kind", kind.into())])
}

fn named(name: &str, message: &str, fields: impl IntoIterator<Item = (&'static str, JsValue)>) -> JsValue {
    let error = Error::new(message);
    error.set_name(name);
    for (field, value) in fields {
        // Setting a property of a fresh object does not throw.
        let _ = Reflect::set(&error, &field.into(), &value);
    }
    error.into()
}
