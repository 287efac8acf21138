//! `GET /sessions/{id}/events`: the server's half of the trace, as Server-Sent Events
//! ([HTML](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
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
use hola_webrtc_protocol::{ProblemCode, SessionId, signal::TimedEvent};

use super::{
    problem::Refusal,
    sessions::{Named, no_such_session},
    signalling::Shared,
};
use crate::{Limit, ServerEvent};

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
    // First, because the engine has one word for a session that is gone and for one that is watched by too many.
    let seat = Watchers::enter(shared.clone(), id)?;
    let events = shared.server.events(id, after).ok_or_else(no_such_session)?;
    // So that the first bytes leave at once, also through a proxy that waits for some.
    let hello = stream::iter([Ok(Event::default().comment("events follow").retry(RETRY))]);
    let events = events.map(move |event| {
        let _ = &seat;
        encode(event)
    });
    let headers = [(CACHE_CONTROL, "no-store"), (X_ACCEL_BUFFERING, "no")];
    Ok((headers, Sse::new(hello.chain(events)).keep_alive(KeepAlive::default())))
}

fn encode(ServerEvent { number, time, event, .. }: ServerEvent) -> Result<Event, axum::Error> {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let timed = TimedEvent { event, time: since_1970.as_secs_f64() * 1e3 };
    Event::default().id(number.to_string()).json_data(timed)
}

/// How many streams each watched session has.
#[derive(Default)]
pub(super) struct Watchers(Mutex<HashMap<SessionId, usize>>);

impl Watchers {
    /// One more stream, until the seat is dropped.
    fn enter(shared: Arc<Shared>, id: SessionId) -> Result<Seat, Refusal> {
        let most = shared.server.limits().max_event_streams;
        let mut counts = shared.watchers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&id).copied().unwrap_or(0);
        if count >= most {
            shared.server.metrics().limit_reached(Limit::MaxEventStreams);
            let detail = format!("{most} streams of its events are open already");
            return Err(Refusal::new(ProblemCode::TooManyStreams, detail));
        }
        counts.insert(id, count + 1);
        drop(counts);
        Ok(Seat { shared, id })
    }
}

/// The place of one stream.
struct Seat {
    shared: Arc<Shared>,
    id: SessionId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.shared.watchers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.id);
            }
        }
    }
}
