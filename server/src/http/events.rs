//! `GET /sessions/{id}/events`: the server's half of the trace, as Server-Sent Events
//! ([HTML](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, header::CACHE_CONTROL},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream};
use hola_webrtc_protocol::signal::TimedEvent;

use super::{problem::Refusal, sessions::Named, signalling::Shared};
use crate::ServerEvent;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks the proxies that know it not to hold the events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// When a browser whose stream broke off comes again.
const RETRY: Duration = Duration::from_secs(1);

/// Sends every event since the offer, or since the one that `Last-Event-ID` names, and then each as it happens. Ends
/// with the session.
pub(super) async fn events(
    State(shared): State<Arc<Shared>>,
    named: Named,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    let id = named.id()?;
    let after = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()?.parse().ok());
    let events = shared.server.events(id, after)?;
    // So that the first bytes leave at once, also through a proxy that waits for some.
    let hello = stream::iter([Ok(Event::default().comment("events follow").retry(RETRY))]);
    let events = events.map(encode);
    let headers = [(CACHE_CONTROL, "no-store"), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Sse::new(hello.chain(events)).keep_alive(KeepAlive::default())))
}

fn encode(ServerEvent { number, time, event, .. }: ServerEvent) -> Result<Event, axum::Error> {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let timed = TimedEvent { event, time: since_1970.as_secs_f64() * 1e3 };
    Event::default().id(number.to_string()).json_data(timed)
}
