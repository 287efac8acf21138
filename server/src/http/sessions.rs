//! `DELETE /sessions/{id}`: the client ends its session.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
};
use hola_webrtc_protocol::{ProblemCode, SessionId};

use super::{offer::Signalling, problem::Refusal};

/// Ends the session. What is no id, was never a session, or is none any more draws the same reply, so that nothing
/// can be learnt by guessing.
pub(super) async fn end(
    State(signalling): State<Signalling>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Refusal> {
    let id: Option<SessionId> = id.ok().and_then(|Path(id)| id.parse().ok());
    match id {
        Some(id) if signalling.server.close(id).await => Ok(StatusCode::NO_CONTENT),
        _ => Err(Refusal::new(ProblemCode::NotFound, "no such session lives")),
    }
}
