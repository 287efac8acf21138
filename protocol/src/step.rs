//! The eight steps of a negotiation: the only place that numbers them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who acts in a step, or who saw an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The offerer: the web page, or a program in its place.
    Client,
    /// The answerer.
    Server,
}

impl Side {
    /// As it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// A statement of the negotiation, in the order in which they happen.
///
/// Steps 6 and 8 have parts: 6a to 6e are the server's statements while it answers, 8a to 8d the layers that
/// come up on top of each other while both sides connect. The label ("1", "6a", "8d") is what appears on the
/// wire, in the log, on the page and in the docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// 1: the client creates its peer connection.
    CreatePeerConnection,
    /// 2: the client creates the data channel, before the offer: without it the SDP has no `m=application`.
    CreateDataChannel,
    /// 3: the client creates the offer.
    CreateOffer,
    /// 4: the client sets the offer as its local description; ICE gathering starts.
    SetLocalOffer,
    /// 5: the client sends the offer over HTTPS.
    SendOffer,
    /// 6a: the server builds its peer.
    BuildPeer,
    /// 6b: the server sets the offer as its remote description.
    SetRemoteOffer,
    /// 6c: the server adds its host candidates.
    AddHostCandidates,
    /// 6d: the server creates the answer.
    CreateAnswer,
    /// 6e: the server sets the answer as its local description and replies.
    SetLocalAnswer,
    /// 7: the client sets the answer as its remote description.
    SetRemoteAnswer,
    /// 8a: ICE connectivity checks find a candidate pair.
    CheckConnectivity,
    /// 8b: the DTLS handshake agrees on keys and checks the fingerprints of the descriptions.
    HandshakeDtls,
    /// 8c: the SCTP association comes up inside DTLS.
    AssociateSctp,
    /// 8d: the data channel opens.
    OpenChannel,
}

use Step::{
    AddHostCandidates, AssociateSctp, BuildPeer, CheckConnectivity, CreateAnswer, CreateDataChannel,
    CreateOffer, CreatePeerConnection, HandshakeDtls, OpenChannel, SendOffer, SetLocalAnswer, SetLocalOffer,
    SetRemoteAnswer, SetRemoteOffer,
};

impl Step {
    /// Every step and part of a step, in order.
    pub const ALL: [Step; 15] = [
        CreatePeerConnection,
        CreateDataChannel,
        CreateOffer,
        SetLocalOffer,
        SendOffer,
        BuildPeer,
        SetRemoteOffer,
        AddHostCandidates,
        CreateAnswer,
        SetLocalAnswer,
        SetRemoteAnswer,
        CheckConnectivity,
        HandshakeDtls,
        AssociateSctp,
        OpenChannel,
    ];

    /// The step's number, 1 to 8; the parts of a step share it.
    pub const fn number(self) -> u8 {
        match self {
            CreatePeerConnection => 1,
            CreateDataChannel => 2,
            CreateOffer => 3,
            SetLocalOffer => 4,
            SendOffer => 5,
            BuildPeer | SetRemoteOffer | AddHostCandidates | CreateAnswer | SetLocalAnswer => 6,
            SetRemoteAnswer => 7,
            CheckConnectivity | HandshakeDtls | AssociateSctp | OpenChannel => 8,
        }
    }

    /// The number with the letter of the part, as in `6a`.
    pub const fn label(self) -> &'static str {
        match self {
            CreatePeerConnection => "1",
            CreateDataChannel => "2",
            CreateOffer => "3",
            SetLocalOffer => "4",
            SendOffer => "5",
            BuildPeer => "6a",
            SetRemoteOffer => "6b",
            AddHostCandidates => "6c",
            CreateAnswer => "6d",
            SetLocalAnswer => "6e",
            SetRemoteAnswer => "7",
            CheckConnectivity => "8a",
            HandshakeDtls => "8b",
            AssociateSctp => "8c",
            OpenChannel => "8d",
        }
    }

    /// What happens in the step, in a few words of English, for logs.
    pub const fn title(self) -> &'static str {
        match self {
            CreatePeerConnection => "create the peer connection",
            CreateDataChannel => "create the data channel",
            CreateOffer => "create the offer",
            SetLocalOffer => "set the offer as local description",
            SendOffer => "send the offer",
            BuildPeer => "build the peer",
            SetRemoteOffer => "set the offer as remote description",
            AddHostCandidates => "add the host candidates",
            CreateAnswer => "create the answer",
            SetLocalAnswer => "set the answer as local description",
            SetRemoteAnswer => "set the answer as remote description",
            CheckConnectivity => "check connectivity (ICE)",
            HandshakeDtls => "shake hands (DTLS)",
            AssociateSctp => "associate (SCTP)",
            OpenChannel => "open the channel",
        }
    }

    /// Where the standards describe the step.
    pub const fn spec(self) -> &'static str {
        match self {
            CreatePeerConnection | BuildPeer => "https://www.w3.org/TR/webrtc/#dom-peerconnection",
            CreateDataChannel => "https://www.w3.org/TR/webrtc/#dom-peerconnection-createdatachannel",
            CreateOffer => "https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-createoffer",
            SetLocalOffer | SetLocalAnswer => {
                "https://www.w3.org/TR/webrtc/#dom-peerconnection-setlocaldescription"
            }
            SendOffer => "https://www.rfc-editor.org/rfc/rfc9725#section-4.2",
            SetRemoteOffer | SetRemoteAnswer => {
                "https://www.w3.org/TR/webrtc/#dom-peerconnection-setremotedescription"
            }
            AddHostCandidates => "https://www.rfc-editor.org/rfc/rfc8445#section-5.1.1.1",
            CreateAnswer => "https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-createanswer",
            CheckConnectivity => "https://www.rfc-editor.org/rfc/rfc8445#section-7",
            HandshakeDtls => "https://www.rfc-editor.org/rfc/rfc8842#section-5",
            AssociateSctp => "https://www.rfc-editor.org/rfc/rfc8831#section-6.2",
            OpenChannel => "https://www.rfc-editor.org/rfc/rfc8832#section-4",
        }
    }

    /// Who acts. The layers of step 8 come up on both sides at once: `None`.
    pub const fn side(self) -> Option<Side> {
        match self.number() {
            6 => Some(Side::Server),
            8 => None,
            _ => Some(Side::Client),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// The text is not the label of a step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the label of a step (1 to 5, 6a to 6e, 7, 8a to 8d)")]
pub struct UnknownStep(String);

impl FromStr for Step {
    type Err = UnknownStep;

    fn from_str(label: &str) -> Result<Self, UnknownStep> {
        Self::ALL.into_iter().find(|step| step.label() == label).ok_or_else(|| UnknownStep(label.to_owned()))
    }
}

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = String::deserialize(deserializer)?;
        label.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_listed_in_the_order_in_which_they_happen() {
        assert!(Step::ALL.is_sorted());
        assert!(Step::ALL.map(Step::number).is_sorted());
        assert_eq!(Step::ALL[0].number(), 1);
        assert_eq!(Step::ALL[14].number(), 8);
    }

    #[test]
    fn a_label_starts_with_the_number_and_names_one_step_only() {
        for step in Step::ALL {
            assert!(step.label().starts_with(&step.number().to_string()));
            assert_eq!(step.label().parse(), Ok(step));
        }
        assert_eq!("6".parse::<Step>(), Err(UnknownStep("6".to_owned())));
    }

    #[test]
    fn a_step_travels_as_its_label() {
        let json = serde_json::to_string(&Step::ALL).unwrap();
        assert_eq!(json, r#"["1","2","3","4","5","6a","6b","6c","6d","6e","7","8a","8b","8c","8d"]"#);
        assert_eq!(serde_json::from_str::<Vec<Step>>(&json).unwrap(), Step::ALL);
    }
}
