//! The server as its user sees it: settings, offers, sessions.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hola_webrtc_protocol::{SessionId, Step};

/// The settings of a server.
#[derive(Clone, Debug)]
pub struct Builder {
    listen: SocketAddr,
}

impl Builder {
    /// The UDP address to bind: with port 0 the system chooses one; an unspecified address (`[::]`, `0.0.0.0`) serves every
    /// address of the host.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// The addresses that answers name as host candidates; by default the bound one, or every address of
    /// the host.
    pub fn announce(self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        let _ = addresses;
        self
    }

    /// The largest message taken, in bytes (default 65536).
    pub fn max_message_size(self, bytes: u32) -> Self {
        let _ = bytes;
        self
    }

    /// How many sessions may live at once (default 10,000).
    pub fn max_sessions(self, sessions: usize) -> Self {
        let _ = sessions;
        self
    }

    /// How long an offer may go without a connectivity check of its peer (default 2 s).
    pub fn check_timeout(self, time: Duration) -> Self {
        let _ = time;
        self
    }

    /// How long a session may take from the offer to its first open channel (default 15 s).
    pub fn open_timeout(self, time: Duration) -> Self {
        let _ = time;
        self
    }

    /// How long an open session may be silent before it counts as lost (default 15 s).
    pub fn silence_timeout(self, time: Duration) -> Self {
        let _ = time;
        self
    }

    /// Binds the port and starts the engine.
    pub fn start(self) -> std::io::Result<RtcServer> {
        Ok(RtcServer { address: self.listen })
    }
}

/// A running server: a handle, cheap to clone. Dropping the last one, and every session, stops it.
#[derive(Clone, Debug)]
pub struct RtcServer {
    address: SocketAddr,
}

/// What is known of a client when its offer arrives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferContext {
    /// The address the offer came from.
    pub remote: Option<SocketAddr>,
    /// The request's `Accept-Language`.
    pub accept_language: Option<String>,
}

/// An answered offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The new session.
    pub id: SessionId,
    /// The answer.
    pub sdp: String,
    /// How long each part of step 6 took.
    pub timings: Vec<(Step, Duration)>,
}

/// Why an offer was not answered. Nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The SDP does not parse, or cannot be answered.
    #[error("{0}")]
    BadSdp(String),
    /// The SDP has no `m=application` section.
    #[error("the offer has no m=application section: create a data channel before the offer")]
    NoDataChannel,
    /// As many sessions live as may.
    #[error("the server holds as many sessions as it may")]
    Full,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopped,
}

impl RtcServer {
    /// The default settings.
    pub fn builder() -> Builder {
        Builder { listen: SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 0], 0)) }
    }

    /// Answers an offer: step 6.
    pub async fn answer(&self, offer: &str, context: OfferContext) -> Result<Answered, AnswerError> {
        let _ = (offer, context);
        Err(AnswerError::Stopped)
    }

    /// Ends a session. `false` if no such session lives.
    pub async fn close(&self, id: SessionId) -> bool {
        let _ = id;
        false
    }

    /// How many sessions live now.
    pub fn session_count(&self) -> usize {
        0
    }

    /// The bound UDP address.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The addresses that answers name.
    pub fn announced(&self) -> Vec<SocketAddr> {
        vec![self.address]
    }

    /// Ends every session, then the engine.
    pub async fn shutdown(&self) {}
}
