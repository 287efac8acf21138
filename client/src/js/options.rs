//! Options, as JavaScript gives them.

use std::time::Duration;

use hola_webrtc_protocol::Step;
use js_sys::Array;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{ChannelOptions, ConnectOptions, ErrorKind, Gathering, IceServer, RtcError, read};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** How to connect. Times are in milliseconds. */
export interface ConnectOptions {
    /** The label of the channel, "chat" by default. On any other label the server only echoes. */
    label?: string;
    /** "immediate" (default) sends the offer at once; "complete" waits for all candidates. */
    gathering?: "immediate" | "complete";
    /** How long "complete" waits; then the offer leaves with the candidates there are. 2,000 by default. */
    gatheringDeadline?: number;
    /** The language in which the server should speak, as in Accept-Language. */
    language?: string;
    iceServers?: { urls: string[]; username?: string; credential?: string }[];
    /** How long connecting may take, 15,000 by default. */
    deadline?: number;
    /** How long an open connection may stay disconnected before it counts as lost, 5,000 by default. */
    patience?: number;
    ordered?: boolean;
    maxRetransmits?: number;
    maxPacketLifeTime?: number;
    protocol?: string;
}
"#;

/// Reads the options; `undefined` and `null` stand for none. Channel options stand beside the others.
pub(super) fn read(given: &JsValue) -> Result<ConnectOptions, RtcError> {
    let default = ConnectOptions::default();
    let gathering = match option(given, "gathering", JsValue::as_string)?.as_deref() {
        None | Some("immediate") => Gathering::Immediate,
        Some("complete") => {
            let deadline = option(given, "gatheringDeadline", millis)?.unwrap_or(Duration::from_secs(2));
            Gathering::Complete { deadline }
        }
        Some(_) => return Err(misfit("gathering")),
    };
    Ok(ConnectOptions {
        gathering,
        ice_servers: option(given, "iceServers", |list| each(list, ice_server))?.unwrap_or_default(),
        label: option(given, "label", JsValue::as_string)?.unwrap_or(default.label),
        channel: ChannelOptions {
            ordered: option(given, "ordered", JsValue::as_bool)?.unwrap_or(true),
            max_retransmits: option(given, "maxRetransmits", read::u16)?,
            max_packet_life_time: option(given, "maxPacketLifeTime", read::u16)?,
            protocol: option(given, "protocol", JsValue::as_string)?.unwrap_or_default(),
        },
        language: option(given, "language", JsValue::as_string)?,
        deadline: option(given, "deadline", millis)?.unwrap_or(default.deadline),
        patience: option(given, "patience", millis)?.unwrap_or(default.patience),
        gate: None,
    })
}

/// One of the options, all of which may be left out.
fn option<T>(given: &JsValue, name: &str, read: fn(&JsValue) -> Option<T>) -> Result<Option<T>, RtcError> {
    let value = read::property(given, name);
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    read(&value).map(Some).ok_or_else(|| misfit(name))
}

fn misfit(name: &str) -> RtcError {
    let cause = format!("the option {name} has a value that does not fit");
    RtcError::new(Step::CreatePeerConnection, ErrorKind::Js, cause)
}

/// A number of milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn millis(value: &JsValue) -> Option<Duration> {
    value.as_f64().filter(|ms| *ms >= 0.0).map(|ms| Duration::from_millis(ms as u64))
}

fn each<T>(list: &JsValue, read: fn(&JsValue) -> Option<T>) -> Option<Vec<T>> {
    Array::is_array(list).then(|| Array::from(list).iter().map(|item| read(&item)).collect())?
}

fn ice_server(value: &JsValue) -> Option<IceServer> {
    Some(IceServer {
        urls: each(&read::property(value, "urls"), JsValue::as_string)?,
        username: read::text(value, "username"),
        credential: read::text(value, "credential"),
    })
}
