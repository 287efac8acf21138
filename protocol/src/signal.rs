//! The HTTP resources of the signalling: an exchange with the shape of WHIP (RFC 9725), for data channels.

use crate::SessionId;

/// `POST` an offer here; the answer comes in the reply.
pub const OFFER_PATH: &str = "/offer";

/// The folder of the sessions: `DELETE /sessions/{id}` ends one.
pub const SESSIONS_PATH: &str = "/sessions";

/// `GET` this to see whether the server lives.
pub const HEALTH_PATH: &str = "/healthz";

/// An offer or answer as `{"type": …, "sdp": …}`.
pub const JSON: &str = "application/json";

/// An offer or answer as bare SDP (RFC 8866).
pub const SDP: &str = "application/sdp";

/// An error (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The path of a session, relative to the server's root.
pub fn session_path(id: SessionId) -> String {
    format!("{SESSIONS_PATH}/{id}")
}

/// The session that a `Location` names, be it a path or an absolute URL. `None` if it names none, as with
/// servers of another make.
pub fn session_of_location(location: &str) -> Option<SessionId> {
    let (folder, id) = location.rsplit_once('/')?;
    folder.ends_with(SESSIONS_PATH).then(|| id.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_its_session_wherever_the_server_is_nested() {
        let id = SessionId::from_bytes([7; 16]);
        assert_eq!(session_of_location(&session_path(id)), Some(id));
        assert_eq!(session_of_location(&format!("https://host:1/rtc{}", session_path(id))), Some(id));
        assert_eq!(session_of_location("/whip/42"), None);
        assert_eq!(session_of_location("sessions"), None);
    }
}
