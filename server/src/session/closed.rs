//! Why sessions and channels end.

use std::fmt;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// The peer closed the connection.
    ByPeer,
    /// This side closed it, or dropped the session.
    ByServer,
    /// The last channel closed, and no other was opened.
    NoChannel,
    /// The peer never sent an authenticated connectivity check.
    NeverConnected,
    /// The first channel did not open in time.
    NotOpenInTime,
    /// The peer opened channels too fast: about 4,000 at once, or then 60 a second; fewer if their names are long.
    TooManyChannels,
    /// Nothing was heard of the peer for too long.
    Silent,
    /// No message went either way for too long.
    Idle,
    /// The peer's host says that nobody listens there any more.
    Unreachable,
    /// All sessions together hold as many bytes as they may, and this one more than its share; or the peer sends what
    /// makes up no message, as one that does not end, or more than a handshake of DTLS takes.
    Overloaded,
    /// The server stops.
    Stopping,
    /// The engine failed on something the peer sent.
    Failed,
}

impl Closed {
    /// Every reason there is in this version.
    pub const ALL: &[Self] = &[
        Self::ByPeer,
        Self::ByServer,
        Self::NoChannel,
        Self::NeverConnected,
        Self::NotOpenInTime,
        Self::TooManyChannels,
        Self::Silent,
        Self::Idle,
        Self::Unreachable,
        Self::Overloaded,
        Self::Stopping,
        Self::Failed,
    ];

    /// The stable name, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByPeer => "by-peer",
            Self::ByServer => "by-server",
            Self::NoChannel => "no-channel",
            Self::NeverConnected => "never-connected",
            Self::NotOpenInTime => "not-open-in-time",
            Self::TooManyChannels => "too-many-channels",
            Self::Silent => "silent",
            Self::Idle => "idle",
            Self::Unreachable => "unreachable",
            Self::Overloaded => "overloaded",
            Self::Stopping => "stopping",
            Self::Failed => "failed",
        }
    }
}

/// In words, for people.
impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByPeer => "closed by the peer",
            Self::ByServer => "closed by the server",
            Self::NoChannel => "no channel is left",
            Self::NeverConnected => "no connectivity check came",
            Self::NotOpenInTime => "no channel opened in time",
            Self::TooManyChannels => "the peer opened channels too fast",
            Self::Silent => "the peer fell silent",
            Self::Idle => "no message went either way for too long",
            Self::Unreachable => "nobody listens at the peer's address",
            Self::Overloaded => "the session holds more bytes than it may",
            Self::Stopping => "the server stops",
            Self::Failed => "the engine failed",
        })
    }
}

/// Why a channel was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChannelClosed {
    /// The peer closed it.
    ByPeer,
    /// This side closed it, or dropped it.
    ByServer,
    /// The session has as many channels as it may, or nobody accepts any.
    NotAccepted,
    /// The peer sent text that is not UTF-8.
    NotUtf8,
    /// The peer sent a message that is larger than the answer lets it.
    TooLarge,
    /// Its session ended.
    WithSession,
}

impl ChannelClosed {
    /// All reasons.
    pub const ALL: [Self; 6] =
        [Self::ByPeer, Self::ByServer, Self::NotAccepted, Self::NotUtf8, Self::TooLarge, Self::WithSession];

    /// The stable name, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByPeer => "by-peer",
            Self::ByServer => "by-server",
            Self::NotAccepted => "not-accepted",
            Self::NotUtf8 => "not-utf-8",
            Self::TooLarge => "too-large",
            Self::WithSession => "with-session",
        }
    }
}
