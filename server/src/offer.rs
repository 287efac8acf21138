//! What goes into the negotiation, and what comes out of it.

use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use axum::http::Extensions;
use hola_webrtc_protocol::{Candidate, SessionId, Step, TraceEvent};

/// What is known of a client when its offer arrives.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct OfferContext {
    /// The address the offer came from.
    pub remote: Option<SocketAddr>,
    /// The request's `Accept-Language`.
    pub accept_language: Option<String>,
    /// Whatever else the program wants to know when the session is there, such as the user it let in.
    pub extensions: Extensions,
}

/// An answered offer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// The new session.
    pub id: SessionId,
    /// The answer.
    pub sdp: String,
    /// How long each part of step 6 took.
    pub timings: Vec<(Step, Duration)>,
    /// What names this ICE session among those of its restarts, unquoted.
    pub etag: String,
}

/// Without the answer, which holds the password of ICE.
impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered").field("id", &self.id).field("etag", &self.etag).finish_non_exhaustive()
    }
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
    /// As many sessions of the client's address live as may.
    #[error("the server holds as many sessions of this address as it may")]
    TooManySessionsOfAddress,
    /// The server is about to stop, and takes no sessions.
    #[error("the server is about to stop")]
    Draining,
    /// The server has stopped.
    #[error("the server has stopped")]
    Stopped,
    /// The server's own fault.
    #[error("the server failed: {0}")]
    Internal(String),
}

/// What an ICE restart brings: the credentials and candidates of this side (RFC 8445, 9).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restarted {
    /// What names the new ICE session, unquoted.
    pub etag: String,
    /// The new user name fragment.
    pub ufrag: String,
    /// The new password.
    pub password: String,
    /// The candidates of this server.
    pub candidates: Vec<Candidate>,
}

/// Without the password.
impl fmt::Debug for Restarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restarted")
            .field("etag", &self.etag)
            .field("ufrag", &self.ufrag)
            .finish_non_exhaustive()
    }
}

/// Why a session could not be changed. It goes on as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchError {
    /// No such session lives.
    #[error("no such session lives")]
    NotFound,
    /// The entity tag is not that of the session's present ICE session.
    #[error("the ICE session has been restarted since: its entity tag is another one")]
    Stale,
    /// The credentials cannot be used.
    #[error("{0}")]
    BadCredentials(String),
    /// The client has named as many candidates as it may.
    #[error("the client has named as many candidates as it may")]
    TooManyCandidates,
    /// The server's own fault.
    #[error("the server failed: {0}")]
    Internal(String),
}

/// Why a session's events cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventsError {
    /// No such session lives.
    #[error("no such session lives")]
    NotFound,
    /// As many others follow them as may.
    #[error("as many streams follow the session's events as may")]
    TooMany,
}

/// An event of a session on the server's side, numbered from 0 on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ServerEvent {
    /// Its place in the session's trace.
    pub number: u64,
    /// When it happened by the wall clock.
    pub time: SystemTime,
    /// What happened; its time counts from the arrival of the offer.
    pub event: TraceEvent,
}
