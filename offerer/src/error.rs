//! What can go wrong, and how a connection ends.

use std::{fmt, io};

use hola_webrtc_protocol::Problem;

use crate::http::HttpError;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL cannot be used.
    #[error("{0:?} is not the URL of a server")]
    InvalidUrl(String),
    /// The request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server refused the offer.
    #[error("the server refuses the offer with {status}{}", problem.as_ref().map(|it| format!(": {it}")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the server said (RFC 9457).
        problem: Option<Problem>,
    },
    /// The answer cannot be used.
    #[error("the answer cannot be used: {0}")]
    BadAnswer(String),
    /// There is no socket.
    #[error("no UDP socket: {0}")]
    Socket(#[from] io::Error),
    /// The channel did not open in time.
    #[error("the channel did not open in time")]
    Timeout,
    /// The connection ended before the channel was open.
    #[error("the connection ended before the channel was open: {0}")]
    Ended(Closed),
    /// This side's own protocol core failed.
    #[error("the offer cannot be made: {0}")]
    Internal(String),
}

/// Why a message could not be sent, or a channel not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel or its connection is closed.
    #[error("the channel is closed")]
    Closed,
    /// The protocol core refuses the message, for example because the peer takes none so large.
    #[error("{0}")]
    Refused(String),
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// This side closed it.
    Local,
    /// The server closed it, and said so.
    Remote,
    /// Nothing was heard of the server for too long.
    Lost,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "closed by this side",
            Self::Remote => "closed by the server",
            Self::Lost => "the server fell silent",
        })
    }
}
