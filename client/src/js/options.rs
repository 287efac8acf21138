//! Options, as JavaScript gives them.

use std::time::Duration;

use hola_webrtc_protocol::Step;
use serde::Deserialize;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::{ChannelOptions, ConnectOptions, ErrorKind, Gathering, IceServer, RtcError};

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

/// What a page may pass, all of it optional. Channel options stand beside the others.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    label: Option<String>,
    gathering: JsGathering,
    gathering_deadline: Option<f64>,
    language: Option<String>,
    ice_servers: Vec<IceServer>,
    deadline: Option<f64>,
    patience: Option<f64>,
    ordered: Option<bool>,
    max_retransmits: Option<u16>,
    max_packet_life_time: Option<u16>,
    protocol: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum JsGathering {
    #[default]
    Immediate,
    Complete,
}

/// Reads the options; `undefined` and `null` stand for none.
pub(super) fn read(options: &JsValue) -> Result<ConnectOptions, RtcError> {
    if options.is_undefined() || options.is_null() {
        return Ok(ConnectOptions::default());
    }
    let given: Options = serde_wasm_bindgen::from_value(options.clone()).map_err(|error| {
        RtcError::new(Step::CreatePeerConnection, ErrorKind::Js, format!("the options do not fit: {error}"))
    })?;
    let default = ConnectOptions::default();
    let deadline = millis(given.gathering_deadline, Duration::from_secs(2))?;
    Ok(ConnectOptions {
        gathering: match given.gathering {
            JsGathering::Immediate => Gathering::Immediate,
            JsGathering::Complete => Gathering::Complete { deadline },
        },
        ice_servers: given.ice_servers,
        label: given.label.unwrap_or(default.label),
        channel: ChannelOptions {
            ordered: given.ordered.unwrap_or(true),
            max_retransmits: given.max_retransmits,
            max_packet_life_time: given.max_packet_life_time,
            protocol: given.protocol,
        },
        language: given.language,
        deadline: millis(given.deadline, default.deadline)?,
        patience: millis(given.patience, default.patience)?,
        gate: None,
    })
}

fn millis(given: Option<f64>, default: Duration) -> Result<Duration, RtcError> {
    given.map_or(Ok(default), |ms| {
        Duration::try_from_secs_f64(ms / 1e3).map_err(|error| {
            let cause = format!("{ms} is not a number of milliseconds: {error}");
            RtcError::new(Step::CreatePeerConnection, ErrorKind::Js, cause)
        })
    })
}
