//! What the server says when it refuses a request (RFC 9457).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the codes by a table: what each means, its name, its status, its title.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $name:literal $status:literal $title:literal,)+) => {
        /// Why a request was refused: the stable name that a program may act upon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $($(#[doc = $doc])+ $code,)+
            /// A code that this version does not know; the status still tells.
            Unknown,
        }

        impl ProblemCode {
            /// Every code that a server of this version sends, by status.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            /// The name, as it travels.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                    Self::Unknown => "unknown",
                }
            }

            /// The code of this name.
            pub fn from_name(name: &str) -> Self {
                Self::ALL.iter().copied().find(|code| code.name() == name).unwrap_or(Self::Unknown)
            }

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
    EmptyBody = "empty-body" 400 "The body is empty",
    /// The body is not JSON.
    NotJson = "not-json" 400 "The body is not JSON",
    /// The JSON has no text named `sdp`.
    MissingSdp = "missing-sdp" 400 "The offer has no sdp",
    /// The `type` is not `offer`.
    NotAnOffer = "not-an-offer" 400 "The description is not an offer",
    /// The SDP does not parse, or is not an offer that can be answered.
    BadSdp = "bad-sdp" 400 "The SDP cannot be answered",
    /// The SDP has no `m=application` section, so there would be nothing to open.
    NoDataChannel = "no-data-channel" 400 "The offer has no data channel",
    /// The fragment of an SDP does not parse, or is none that this request can use.
    BadFragment = "bad-fragment" 400 "The SDP fragment cannot be used",
    /// The request needs a bearer token, and has none or a wrong one.
    Unauthorized = "unauthorized" 401 "A token is needed",
    /// The program that runs the server turned the offer down.
    Forbidden = "forbidden" 403 "The offer was turned down",
    /// The page that sent the request has an origin that the server does not let in.
    ForbiddenOrigin = "forbidden-origin" 403 "Pages of this origin are not let in",
    /// Nothing is at this path, or no such session lives.
    NotFound = "not-found" 404 "Nothing is here",
    /// The path exists, the method does not.
    MethodNotAllowed = "method-not-allowed" 405 "The method is not allowed here",
    /// The client accepts neither JSON nor SDP as a reply.
    NotAcceptable = "not-acceptable" 406 "No acceptable format",
    /// The request did not come within its time.
    RequestTimeout = "request-timeout" 408 "The request took too long",
    /// The entity tag is not that of the session's present ICE session.
    PreconditionFailed = "precondition-failed" 412 "The ICE session is another one by now",
    /// The body exceeds the limit.
    BodyTooLarge = "body-too-large" 413 "The body is too large",
    /// The offer has more lines than the server reads.
    OfferTooLong = "offer-too-long" 413 "The offer has too many lines",
    /// The client names more candidates than the server takes of one session.
    TooManyCandidates = "too-many-candidates" 413 "The client names too many candidates",
    /// The content type is missing or is none the server reads.
    UnsupportedMediaType = "unsupported-media-type" 415 "The content type is not supported",
    /// The request does not say which ICE session it is meant for.
    PreconditionRequired = "precondition-required" 428 "The request must name the ICE session",
    /// The client's address has sent too many offers lately.
    TooManyRequests = "too-many-requests" 429 "Too many offers came from this address",
    /// As many sessions of the client's address live as may.
    TooManySessions = "too-many-sessions" 429 "Too many sessions are of this address",
    /// The session is watched by as many streams of events as may be.
    TooManyStreams = "too-many-streams" 429 "The session is watched by too many",
    /// The server's fault.
    Internal = "internal" 500 "The server failed",
    /// The server holds as many sessions as it may.
    Unavailable = "unavailable" 503 "The server takes no more sessions now",
    /// The server is stopping.
    Draining = "draining" 503 "The server is stopping",
    /// The engine does not answer.
    Stalled = "stalled" 503 "The engine does not answer",
}

// By hand: derived code compares and writes each name by itself, which is much for a browser to load.
impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ProblemCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::from_name(&name))
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
