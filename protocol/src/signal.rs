//! The HTTP resources of the signalling: an exchange with the shape of WHIP (RFC 9725), for data channels.

use serde::{Deserialize, Serialize};

use crate::{SessionId, TraceEvent};

/// `POST` an offer here; the answer comes in the reply.
pub const OFFER_PATH: &str = "/offer";

/// The folder of the sessions: `DELETE /sessions/{id}` ends one, `PATCH` brings candidates or restarts ICE.
pub const SESSIONS_PATH: &str = "/sessions";

/// Behind a session's path: `GET` this for its events on the server's side, as Server-Sent Events.
pub const EVENTS_SUFFIX: &str = "/events";

/// `GET` this to see whether the server lives.
pub const HEALTH_PATH: &str = "/healthz";

/// `GET` this to see whether the server takes offers.
pub const READY_PATH: &str = "/readyz";

/// `GET` this for the server's figures, in Prometheus' text format.
pub const METRICS_PATH: &str = "/metrics";

/// An offer or answer as `{"type": …, "sdp": …}`.
pub const JSON: &str = "application/json";

/// An offer or answer as bare SDP (RFC 8866).
pub const SDP: &str = "application/sdp";

/// The relation of a link to a STUN or TURN server (RFC 9725, 4.6).
pub const ICE_SERVER_RELATION: &str = "ice-server";

/// The relation of a link to a session's events (RFC 5989, 8).
pub const EVENTS_RELATION: &str = "monitor";

/// An error (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An event as the stream of events sends it: `{"step":…,"side":"server","at":…,"event":…,…,"time":…}`. Both times
/// together let the reader place it on a timeline of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimedEvent {
    /// What happened. Its time counts from the arrival of the offer, on a clock that never goes back.
    #[serde(flatten)]
    pub event: TraceEvent,
    /// When it happened by the server's wall clock, in milliseconds since 1970.
    pub time: f64,
}

/// The path of a session, relative to the server's root.
pub fn session_path(id: SessionId) -> String {
    format!("{SESSIONS_PATH}/{id}")
}

/// The path of a session's events, relative to the server's root.
pub fn events_path(id: SessionId) -> String {
    format!("{}{EVENTS_SUFFIX}", session_path(id))
}

/// The session that a `Location` names, be it a path or an absolute URL. `None` if it names none, as with
/// servers of another make.
pub fn session_of_location(location: &str) -> Option<SessionId> {
    let (folder, id) = location.split_at_checked(location.len().checked_sub(SessionId::DIGITS)?)?;
    folder.strip_suffix('/')?.ends_with(SESSIONS_PATH).then(|| id.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Side, Step, TraceData};

    #[test]
    fn an_event_travels_flat_with_both_its_times() {
        let event =
            TraceEvent { step: Step::BuildPeer, side: Side::Server, at: 0.25, data: TraceData::Began };
        let timed = TimedEvent { event, time: 1_700_000_000_000.5 };
        let json = serde_json::to_string(&timed).unwrap();
        assert_eq!(json, r#"{"step":"6a","side":"server","at":0.25,"event":"began","time":1700000000000.5}"#);
        assert_eq!(serde_json::from_str::<TimedEvent>(&json).unwrap(), timed);
    }

    #[test]
    fn a_location_names_its_session_wherever_the_server_is_nested() {
        let id = SessionId::from_bytes([7; 16]);
        assert_eq!(session_of_location(&session_path(id)), Some(id));
        assert_eq!(session_of_location(&format!("https://host:1/rtc{}", session_path(id))), Some(id));
        assert_eq!(session_of_location("/whip/42"), None);
        assert_eq!(session_of_location("sessions"), None);
    }
}
