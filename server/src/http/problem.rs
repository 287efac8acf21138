//! A [`Problem`] as a response.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use hola_webrtc_protocol::{Problem, ProblemCode, signal::PROBLEM_JSON};

use crate::AnswerError;

/// After how many seconds a client that was refused for want of room may try again.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A refused request: the response with a [`Problem`] as its body (RFC 9457).
#[derive(Clone, Debug)]
pub struct Refusal(Box<Problem>);

impl Refusal {
    /// A refusal of this kind, with what was wrong this time.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<AnswerError> for Refusal {
    fn from(error: AnswerError) -> Self {
        let code = match error {
            AnswerError::BadSdp(_) => ProblemCode::BadSdp,
            AnswerError::NoDataChannel => ProblemCode::NoDataChannel,
            AnswerError::Full | AnswerError::Stopped => ProblemCode::Unavailable,
            AnswerError::Internal(_) => ProblemCode::Internal,
        };
        Self::new(code, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = problem.code;
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if code == ProblemCode::Unavailable {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}
