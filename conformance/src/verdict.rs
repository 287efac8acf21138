//! What a check finds.

use std::fmt;

use hola_webrtc_offerer::{ConnectError, SendError, http::HttpError};

/// Whether the server does what the profile says.
pub type Verdict = Result<(), Fault>;

/// It does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It breaks the profile, in these words.
    Broken(String),
    /// It does not offer this, and need not; or it cannot be looked at from here.
    NotOffered(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(what) | Self::NotOffered(what) => f.write_str(what),
        }
    }
}

/// A break of the profile.
pub(crate) fn broken<T>(what: impl fmt::Display) -> Result<T, Fault> {
    Err(Fault::Broken(what.to_string()))
}

/// Something that the server does not offer.
pub(crate) fn not_offered<T>(what: impl fmt::Display) -> Result<T, Fault> {
    Err(Fault::NotOffered(what.to_string()))
}

/// A break of the profile unless the condition holds.
pub(crate) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Fault::Broken(otherwise())) }
}

impl From<HttpError> for Fault {
    fn from(error: HttpError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<ConnectError> for Fault {
    fn from(error: ConnectError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<SendError> for Fault {
    fn from(error: SendError) -> Self {
        Self::Broken(error.to_string())
    }
}
