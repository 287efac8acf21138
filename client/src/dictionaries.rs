//! The W3C's dictionaries, as Rust writes them, and as the browser takes them.

use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use web_sys::{RtcConfiguration, RtcDataChannelInit};

/// A STUN or TURN server ([W3C, `RTCIceServer`](https://www.w3.org/TR/webrtc/#dom-rtciceserver)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IceServer {
    /// As in `stun:stun.example.org:3478`.
    pub urls: Vec<String>,
    /// For TURN.
    pub username: Option<String>,
    /// For TURN.
    pub credential: Option<String>,
}

impl IceServer {
    /// A server that needs no credentials.
    pub fn stun(url: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], ..Self::default() }
    }

    /// A TURN server.
    pub fn turn(url: impl Into<String>, username: impl Into<String>, credential: impl Into<String>) -> Self {
        Self { urls: vec![url.into()], username: Some(username.into()), credential: Some(credential.into()) }
    }
}

/// The options of a channel ([W3C, `RTCDataChannelInit`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChannelOptions {
    /// Whether messages arrive in the order in which they were sent; true by default.
    pub ordered: bool,
    /// How often a lost message is sent again, if not until it arrives. Not together with
    /// [`max_packet_life_time`](Self::max_packet_life_time).
    pub max_retransmits: Option<u16>,
    /// For how many milliseconds a lost message is sent again, if not until it arrives.
    pub max_packet_life_time: Option<u16>,
    /// The name of what is spoken on the channel, empty by default.
    pub protocol: String,
    /// Both sides make the channel, with the same [`id`](Self::id), and neither tells the other; false by default.
    pub negotiated: bool,
    /// The stream number, if both sides have agreed on one.
    pub id: Option<u16>,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
            protocol: String::new(),
            negotiated: false,
            id: None,
        }
    }
}

/// Each sets what the field of that name documents.
impl ChannelOptions {
    /// Messages may overtake each other: not [`ordered`](Self::ordered).
    #[must_use]
    pub fn unordered(self) -> Self {
        Self { ordered: false, ..self }
    }

    /// See [`max_retransmits`](Self::max_retransmits).
    #[must_use]
    pub fn max_retransmits(self, times: u16) -> Self {
        Self { max_retransmits: Some(times), ..self }
    }

    /// See [`max_packet_life_time`](Self::max_packet_life_time).
    #[must_use]
    pub fn max_packet_life_time(self, milliseconds: u16) -> Self {
        Self { max_packet_life_time: Some(milliseconds), ..self }
    }

    /// See [`protocol`](Self::protocol).
    #[must_use]
    pub fn protocol(self, protocol: impl Into<String>) -> Self {
        Self { protocol: protocol.into(), ..self }
    }

    /// Both sides make the channel with this number: [`negotiated`](Self::negotiated).
    #[must_use]
    pub fn negotiated(self, id: u16) -> Self {
        Self { negotiated: true, id: Some(id), ..self }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    ice_servers: Vec<IceServer>,
}

/// The configuration of a peer connection that has only these servers.
pub(crate) fn configuration(ice_servers: Vec<IceServer>) -> RtcConfiguration {
    dictionary(&Configuration { ice_servers }).unchecked_into()
}

/// The options of a channel.
pub(crate) fn channel(options: &ChannelOptions) -> RtcDataChannelInit {
    dictionary(options).unchecked_into()
}

/// Texts and numbers are always serialised. Were it otherwise, `undefined` stands for a dictionary without members.
fn dictionary(value: &impl Serialize) -> wasm_bindgen::JsValue {
    serde_wasm_bindgen::to_value(value).unwrap_or_default()
}
