//! A [`Problem`] as a response.

use std::time::Duration;

use axum::{
    Json,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use hola_webrtc_protocol::{Problem, ProblemCode, signal::PROBLEM_JSON};

use super::sessions::no_such_session;
use crate::{AnswerError, EventsError, PatchError};

/// After how many seconds a client may try again if nothing better is known.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A refused request: the response with a [`Problem`] as its body (RFC 9457).
#[derive(Clone, Debug)]
pub struct Refusal(Box<(Problem, HeaderMap)>);

impl Refusal {
    /// A refusal of this kind, with what was wrong this time.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    /// Tells the client when it may try again, in whole seconds, one at least. Without it, the refusals that pass
    /// (429 and 503) say five.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        self.with_header(RETRY_AFTER, seconds.max(1).into())
    }

    /// Adds a header to the response, in place of one of the same name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.1.insert(name, value);
        self
    }

    /// A fault of the server's own. What it was is for the log, not for strangers.
    pub(super) fn internal(why: &str) -> Self {
        tracing::error!(why, "a request failed");
        Self::new(ProblemCode::Internal, "the fault is in the server's log")
    }

    /// What the response says.
    pub fn problem(&self) -> &Problem {
        &self.0.0
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let mut headers = HeaderMap::new();
        if matches!(problem.status, 429 | 503) {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        Self(Box::new((problem, headers)))
    }
}

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        let code = match &error {
            AnswerError::BadSdp(_) => ProblemCode::BadSdp,
            AnswerError::NoDataChannel => ProblemCode::NoDataChannel,
            AnswerError::Full => ProblemCode::Unavailable,
            AnswerError::TooManySessionsOfAddress => ProblemCode::TooManySessions,
            AnswerError::Draining | AnswerError::Stopped => ProblemCode::Draining,
            AnswerError::Internal(why) => return Self::internal(why),
        };
        Self::new(code, error.to_string())
    }
}

impl From<PatchError> for Refusal {
    fn from(error: PatchError) -> Self {
        let code = match &error {
            PatchError::NotFound => return no_such_session(),
            PatchError::Stale => ProblemCode::PreconditionFailed,
            PatchError::BadCredentials(_) => ProblemCode::BadFragment,
            PatchError::TooManyCandidates => ProblemCode::TooManyCandidates,
            PatchError::Internal(why) => return Self::internal(why),
        };
        Self::new(code, error.to_string())
    }
}

impl From<EventsError> for Refusal {
    fn from(error: EventsError) -> Self {
        let code = match error {
            EventsError::NotFound => return no_such_session(),
            EventsError::TooMany => ProblemCode::TooManyStreams,
        };
        Self::new(code, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (problem, headers) = *self.0;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, headers, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
