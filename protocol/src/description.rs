//! The JSON form of an SDP, as `JSON.stringify(pc.localDescription)` writes it.

use serde::{Deserialize, Serialize};

/// The role of a description in the offer/answer exchange
/// ([W3C, `RTCSdpType`](https://www.w3.org/TR/webrtc/#rtcsdptype)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// A proposal.
    Offer,
    /// A provisional answer.
    Pranswer,
    /// The final answer.
    Answer,
    /// Back to the last stable state.
    Rollback,
}

impl SdpType {
    /// As it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Offer, Self::Pranswer, Self::Answer, Self::Rollback]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A session description
/// ([W3C, `RTCSessionDescriptionInit`](https://www.w3.org/TR/webrtc/#dom-rtcsessiondescriptioninit)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionDescription {
    /// Offer or answer.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The text of the SDP (RFC 8866), lines ending in CR LF.
    pub sdp: String,
}

impl SessionDescription {
    /// An offer with this SDP.
    pub fn offer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Offer, sdp: sdp.into() }
    }

    /// An answer with this SDP.
    pub fn answer(sdp: impl Into<String>) -> Self {
        Self { kind: SdpType::Answer, sdp: sdp.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_is_the_one_a_browser_writes() {
        let json = r#"{"type":"offer","sdp":"v=0\r\n"}"#;
        let offer = SessionDescription::offer("v=0\r\n");
        assert_eq!(serde_json::from_str::<SessionDescription>(json).unwrap(), offer);
        assert_eq!(serde_json::to_string(&offer).unwrap(), json);
    }
}
