//! What can be chosen.

use std::time::Duration;

use rtc::data_channel::RTCDataChannelInit;

/// How an [`Offerer`](crate::Offerer) reaches servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whose certificates are good enough for HTTPS.
    pub trust: Trust,
    /// Which UDP sockets the connections have.
    pub sockets: Sockets,
}

/// Whose certificates are good enough for HTTPS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system trusts.
    #[default]
    System,
    /// Any: for servers of one's own with a certificate they signed themselves.
    Anyone,
}

/// Which UDP sockets the connections have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sockets {
    /// Each its own, as in a browser. When a connection is killed, its host says that nobody listens there.
    #[default]
    Own,
    /// One for all connections to servers on the loopback, each from an address of its own in 127.0.0.0/8:
    /// thousands of them cost few system calls. Works on Linux; connections to servers elsewhere, or by IPv6,
    /// have their own.
    Shared,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The channel that the offer is made with.
    pub channel: ChannelOptions,
    /// Further header fields of the request, such as `("authorization", "Bearer …")`.
    pub headers: Vec<(String, String)>,
    /// How long it may take until the channel is open (15 s).
    pub deadline: Duration,
    /// The largest message that is received, in bytes (65,536).
    pub max_message_size: u32,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            channel: ChannelOptions::default(),
            headers: Vec::new(),
            deadline: Duration::from_secs(15),
            max_message_size: 65_536,
        }
    }
}

/// A data channel to open
/// ([W3C, `RTCDataChannelInit`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// The name that both sides see (`echo`).
    pub label: String,
    /// The subprotocol, or empty.
    pub protocol: String,
    /// Whether messages arrive in the order in which they were sent (they do).
    pub ordered: bool,
    /// How often a lost message is sent again; for ever by default.
    pub max_retransmits: Option<u16>,
    /// How long a lost message is sent again, in milliseconds; for ever by default.
    pub max_packet_life_time: Option<u16>,
    /// The SCTP stream that both sides have agreed on beforehand, if they have.
    pub negotiated: Option<u16>,
}

impl ChannelOptions {
    /// A reliable, ordered channel of this name.
    pub fn labelled(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    pub(crate) fn init(&self) -> RTCDataChannelInit {
        RTCDataChannelInit {
            ordered: self.ordered,
            max_packet_life_time: self.max_packet_life_time,
            max_retransmits: self.max_retransmits,
            protocol: self.protocol.clone(),
            negotiated: self.negotiated,
        }
    }
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self {
            label: "echo".to_owned(),
            protocol: String::new(),
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
            negotiated: None,
        }
    }
}
