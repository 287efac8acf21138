//! A reply, and what the profile says of refusals.

use bytes::Bytes;
use hola_webrtc_offerer::http::is_type;
use hola_webrtc_protocol::{Problem, ProblemCode, signal};
use hyper::{HeaderMap, StatusCode, header};

use crate::{
    Verdict,
    verdict::{broken, ensure},
};

/// An HTTP reply.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    /// A header's value.
    pub(crate) fn text(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether it is a success of this status.
    pub(crate) fn succeeded(&self, status: u16) -> Verdict {
        ensure(self.status == status, || format!("expected {status}, got {}", self.describe()))
    }

    /// Whether its body is of this media type.
    pub(crate) fn has_type(&self, kind: &str) -> Verdict {
        let given = self.text(header::CONTENT_TYPE).unwrap_or("none");
        ensure(is_type(&self.headers, kind), || format!("expected {kind}, got {given}"))
    }

    /// Whether it is this refusal, as a problem (RFC 9457) that agrees with its status.
    pub(crate) fn refused(&self, code: ProblemCode) -> Verdict {
        self.refused_by(&[code])
    }

    /// Whether it is one of these refusals.
    pub(crate) fn refused_by(&self, codes: &[ProblemCode]) -> Verdict {
        let expected = || {
            let codes: Vec<String> =
                codes.iter().map(|code| format!("{} {}", code.status(), name(*code))).collect();
            codes.join(" or ")
        };
        ensure(codes.iter().any(|code| self.status == code.status()), || {
            format!("expected {}, got {}", expected(), self.describe())
        })?;
        self.has_type(signal::PROBLEM_JSON)?;
        let Ok(problem) = serde_json::from_slice::<Problem>(&self.body) else {
            return broken(format!("the refusal's body is no problem: {}", self.describe()));
        };
        ensure(codes.contains(&problem.code), || {
            format!("expected the code {}, got {}", expected(), self.describe())
        })?;
        ensure(problem.status == self.status.as_u16(), || {
            format!("the problem says {}, the status is {}", problem.status, self.status)
        })
    }

    /// The status and the beginning of the body.
    pub(crate) fn describe(&self) -> String {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(120).collect();
        format!("{} {body:?}", self.status.as_u16())
    }
}

/// A code as it stands in a problem.
fn name(code: ProblemCode) -> String {
    serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

impl From<Response> for hyper::Response<Bytes> {
    fn from(response: Response) -> Self {
        let mut reply = Self::new(response.body);
        (*reply.status_mut(), *reply.headers_mut()) = (response.status, response.headers);
        reply
    }
}
