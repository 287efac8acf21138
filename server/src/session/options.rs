//! What a channel that the server opens is to be like, and why it may not open.

use hola_webrtc_protocol::framing::Mode;

/// What a channel is to be like
/// ([W3C, `RTCDataChannelInit`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// Whether messages arrive in the order in which they were sent.
    pub ordered: bool,
    /// How often a lost message is sent again; `None` for as often as it takes.
    pub max_retransmits: Option<u16>,
    /// For how many milliseconds a lost message is sent again; `None` for as long as it takes.
    pub max_packet_life_time: Option<u16>,
    /// The subprotocol, or empty.
    pub protocol: String,
    /// The stream number, if both sides create the channel with it on their own; `None` to announce the channel to
    /// the peer.
    pub negotiated: Option<u16>,
}

impl ChannelOptions {
    /// As it is, and for messages of any size and large transfers, if the peer speaks the framing (`docs/framing.md`).
    #[must_use]
    pub fn for_large(mut self) -> Self {
        self.protocol = Mode::Framed.protocol(&self.protocol);
        self
    }
}

impl Default for ChannelOptions {
    /// Ordered and reliable, announced to the peer.
    fn default() -> Self {
        Self {
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
            protocol: String::new(),
            negotiated: None,
        }
    }
}

/// Why a channel could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
    /// The peer closed the channel instead of confirming it. The session goes on.
    #[error("the peer refused the channel")]
    Refused,
    /// The session has as many channels as it may.
    #[error("the session has as many channels as it may")]
    TooManyChannels,
    /// The options contradict each other, or the names are too long.
    #[error("{0}")]
    Invalid(String),
}
