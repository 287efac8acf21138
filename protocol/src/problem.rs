//! What the server says when it refuses a request (RFC 9457).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a request was refused: the stable name that a program may act upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ProblemCode {
    /// The request has no body.
    EmptyBody,
    /// The body is not JSON.
    NotJson,
    /// The JSON has no text named `sdp`.
    MissingSdp,
    /// The `type` is not `offer`.
    NotAnOffer,
    /// The SDP does not parse, or is not an offer that can be answered.
    BadSdp,
    /// The SDP has no `m=application` section, so there would be nothing to open.
    NoDataChannel,
    /// The fragment of an SDP does not parse, or is none that this request can use.
    BadFragment,
    /// The request needs a bearer token, and has none or a wrong one.
    Unauthorized,
    /// The program that runs the server turned the offer down.
    Forbidden,
    /// The page that sent the request has an origin that the server does not let in.
    ForbiddenOrigin,
    /// Nothing is at this path, or no such session lives.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The client accepts neither JSON nor SDP as a reply.
    NotAcceptable,
    /// The request did not come within its time.
    RequestTimeout,
    /// The entity tag is not that of the session's present ICE session.
    PreconditionFailed,
    /// The body exceeds the limit.
    BodyTooLarge,
    /// The offer has more lines than the server reads.
    OfferTooLong,
    /// The client names more candidates than the server takes of one session.
    TooManyCandidates,
    /// The content type is missing or is none the server reads.
    UnsupportedMediaType,
    /// The request does not say which ICE session it is meant for.
    PreconditionRequired,
    /// The client's address has sent too many offers lately.
    TooManyRequests,
    /// As many sessions of the client's address live as may.
    TooManySessions,
    /// The session is watched by as many streams of events as may be.
    TooManyStreams,
    /// The server's fault.
    Internal,
    /// The server holds as many sessions as it may.
    Unavailable,
    /// The server is stopping.
    Draining,
    /// The engine does not answer.
    Stalled,
    /// A code that this version does not know; the status still tells.
    #[serde(other)]
    Unknown,
}

impl ProblemCode {
    /// The HTTP status that goes with the code.
    pub const fn status(self) -> u16 {
        match self {
            Self::EmptyBody
            | Self::NotJson
            | Self::MissingSdp
            | Self::NotAnOffer
            | Self::BadSdp
            | Self::NoDataChannel
            | Self::BadFragment => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::ForbiddenOrigin => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::RequestTimeout => 408,
            Self::PreconditionFailed => 412,
            Self::BodyTooLarge | Self::OfferTooLong | Self::TooManyCandidates => 413,
            Self::UnsupportedMediaType => 415,
            Self::PreconditionRequired => 428,
            Self::TooManyRequests | Self::TooManySessions | Self::TooManyStreams => 429,
            Self::Internal | Self::Unknown => 500,
            Self::Unavailable | Self::Draining | Self::Stalled => 503,
        }
    }

    /// What it means, in a few words that do not change from one occurrence to the next.
    pub const fn title(self) -> &'static str {
        match self {
            Self::EmptyBody => "The body is empty",
            Self::NotJson => "The body is not JSON",
            Self::MissingSdp => "The offer has no sdp",
            Self::NotAnOffer => "The description is not an offer",
            Self::BadSdp => "The SDP cannot be answered",
            Self::NoDataChannel => "The offer has no data channel",
            Self::BadFragment => "The SDP fragment cannot be used",
            Self::Unauthorized => "A token is needed",
            Self::Forbidden => "The offer was turned down",
            Self::ForbiddenOrigin => "Pages of this origin are not let in",
            Self::NotFound => "Nothing is here",
            Self::MethodNotAllowed => "The method is not allowed here",
            Self::NotAcceptable => "No acceptable format",
            Self::RequestTimeout => "The request took too long",
            Self::PreconditionFailed => "The ICE session is another one by now",
            Self::BodyTooLarge => "The body is too large",
            Self::OfferTooLong => "The offer has too many lines",
            Self::TooManyCandidates => "The client names too many candidates",
            Self::UnsupportedMediaType => "The content type is not supported",
            Self::PreconditionRequired => "The request must name the ICE session",
            Self::TooManyRequests => "Too many offers came from this address",
            Self::TooManySessions => "Too many sessions are of this address",
            Self::TooManyStreams => "The session is watched by too many",
            Self::Internal => "The server failed",
            Self::Unavailable => "The server takes no more sessions now",
            Self::Draining => "The server is stopping",
            Self::Stalled => "The engine does not answer",
            Self::Unknown => "The request was refused",
        }
    }
}

/// The body of a refusal, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What a program may act upon.
    pub code: ProblemCode,
    /// The HTTP status, repeated.
    pub status: u16,
    /// The kind of problem in a few words.
    pub title: String,
    /// What was wrong this time and what to do about it, for a person.
    pub detail: String,
}

impl Problem {
    /// A problem of this kind, with the details of this occurrence.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { code, status: code.status(), title: code.title().to_owned(), detail: detail.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_a_newer_server_is_read() {
        let problem = r#"{"code":"from-the-future","status":429,"title":"Slower","detail":"please"}"#;
        let problem: Problem = serde_json::from_str(problem).unwrap();
        assert_eq!((problem.code, problem.status), (ProblemCode::Unknown, 429));
    }

    #[test]
    fn a_problem_carries_its_code_and_repeats_the_status() {
        let problem = Problem::new(ProblemCode::NoDataChannel, "create a data channel before the offer");
        assert_eq!(
            serde_json::to_value(&problem).unwrap(),
            serde_json::json!({
                "code": "no-data-channel",
                "status": 400,
                "title": "The offer has no data channel",
                "detail": "create a data channel before the offer",
            })
        );
    }
}
