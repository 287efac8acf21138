//! What the server says when it refuses a request (RFC 9457).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the codes by a table: what each means, its name, its status, its title.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $status:literal $title:literal,)+) => {
        /// Why a request was refused: the stable name that a program may act upon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $code,)+
            /// A code that this version does not know; the status still tells.
            #[serde(other)]
            Unknown,
        }

        impl ProblemCode {
            /// Every code that a server of this version sends, by status.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The HTTP status that goes with the code.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$code => $status,)+
                    Self::Unknown => 500,
                }
            }

            /// What it means, in a few words that do not change from one occurrence to the next.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$code => $title,)+
                    Self::Unknown => "The request was refused",
                }
            }
        }
    };
}

codes! {
    /// The request has no body.
    EmptyBody = 400 "The body is empty",
    /// The body is not JSON.
    NotJson = 400 "The body is not JSON",
    /// The JSON has no text named `sdp`.
    MissingSdp = 400 "The offer has no sdp",
    /// The `type` is not `offer`.
    NotAnOffer = 400 "The description is not an offer",
    /// The SDP does not parse, or is not an offer that can be answered.
    BadSdp = 400 "The SDP cannot be answered",
    /// The SDP has no `m=application` section, so there would be nothing to open.
    NoDataChannel = 400 "The offer has no data channel",
    /// The fragment of an SDP does not parse, or is none that this request can use.
    BadFragment = 400 "The SDP fragment cannot be used",
    /// The request needs a bearer token, and has none or a wrong one.
    Unauthorized = 401 "A token is needed",
    /// The program that runs the server turned the offer down.
    Forbidden = 403 "The offer was turned down",
    /// The page that sent the request has an origin that the server does not let in.
    ForbiddenOrigin = 403 "Pages of this origin are not let in",
    /// Nothing is at this path, or no such session lives.
    NotFound = 404 "Nothing is here",
    /// The path exists, the method does not.
    MethodNotAllowed = 405 "The method is not allowed here",
    /// The client accepts neither JSON nor SDP as a reply.
    NotAcceptable = 406 "No acceptable format",
    /// The request did not come within its time.
    RequestTimeout = 408 "The request took too long",
    /// The entity tag is not that of the session's present ICE session.
    PreconditionFailed = 412 "The ICE session is another one by now",
    /// The body exceeds the limit.
    BodyTooLarge = 413 "The body is too large",
    /// The offer has more lines than the server reads.
    OfferTooLong = 413 "The offer has too many lines",
    /// The client names more candidates than the server takes of one session.
    TooManyCandidates = 413 "The client names too many candidates",
    /// The content type is missing or is none the server reads.
    UnsupportedMediaType = 415 "The content type is not supported",
    /// The request does not say which ICE session it is meant for.
    PreconditionRequired = 428 "The request must name the ICE session",
    /// The client's address has sent too many offers lately.
    TooManyRequests = 429 "Too many offers came from this address",
    /// As many sessions of the client's address live as may.
    TooManySessions = 429 "Too many sessions are of this address",
    /// The session is watched by as many streams of events as may be.
    TooManyStreams = 429 "The session is watched by too many",
    /// The server's fault.
    Internal = 500 "The server failed",
    /// The server holds as many sessions as it may.
    Unavailable = 503 "The server takes no more sessions now",
    /// The server is stopping.
    Draining = 503 "The server is stopping",
    /// The engine does not answer.
    Stalled = 503 "The engine does not answer",
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
