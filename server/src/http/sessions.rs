//! The sessions' names in URLs, and `DELETE /sessions/{id}`: the client ends its session.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
};
use hola_webrtc_protocol::{ProblemCode, SessionId};

use super::{problem::Refusal, signalling::Shared};

/// The session that the path names. What is no id, was never a session, or is none any more draws the same reply, so
/// that nothing can be learnt by guessing; hence a request can fail for another reason first, whatever it names.
pub(super) struct Named(Option<SessionId>);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(id.ok().and_then(|Path(id)| id.parse().ok())))
    }
}

impl Named {
    pub(super) fn id(&self) -> Result<SessionId, Refusal> {
        self.0.ok_or_else(no_such_session)
    }
}

pub(super) fn no_such_session() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "no such session lives")
}

/// Ends the session. Entity tags do not matter here (RFC 9725, 4.3.1).
pub(super) async fn end(State(shared): State<Arc<Shared>>, named: Named) -> Result<StatusCode, Refusal> {
    if shared.server.close(named.id()?).await { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_session()) }
}
