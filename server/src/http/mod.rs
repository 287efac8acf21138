//! The signalling: an axum router that takes offers and tends their sessions.

mod body;
mod client;
mod events;
mod format;
mod guard;
mod health;
mod links;
mod metrics;
mod offer;
mod origin;
mod patch;
mod problem;
mod rate;
mod sessions;
mod signalling;
mod token;

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    http::{HeaderName, Response, StatusCode, header::ALLOW},
    middleware,
    response::IntoResponse,
    routing::{delete, get, post},
};
use hola_webrtc_protocol::{
    ProblemCode, SdpFragment,
    signal::{EVENTS_SUFFIX, HEALTH_PATH, METRICS_PATH, OFFER_PATH, READY_PATH, SESSIONS_PATH},
};
use tower_http::catch_panic::CatchPanicLayer;

use self::signalling::Shared;
pub use self::{
    links::{IceServer, InvalidIceServer, InvalidPublicUrl, PublicUrl},
    metrics::MetricsAccess,
    origin::{InvalidOrigin, Origin},
    problem::Refusal,
    signalling::{OfferRequest, Signalling},
    token::{BearerToken, InvalidBearerToken},
};
use crate::RtcServer;

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// The formats of an offer, for [`ACCEPT_POST`].
const ACCEPTED: &str = "application/json, application/sdp";

const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

impl RtcServer {
    /// The signalling with its default settings, as a router: see [`Signalling::router`].
    ///
    /// ```
    /// # fn nest(rtc: &hola_webrtc_server::RtcServer) -> axum::Router {
    /// axum::Router::new().nest("/rtc", rtc.router())
    /// # }
    /// ```
    pub fn router(&self) -> Router {
        self.signalling().router()
    }

    /// The signalling, to be set up: who may send offers, and what clients are told.
    pub fn signalling(&self) -> Signalling {
        Signalling::new(self.clone())
    }
}

fn router(shared: Arc<Shared>, fallback: Option<Router>) -> Router {
    let session = format!("{SESSIONS_PATH}/{{id}}");
    let events = format!("{session}{EVENTS_SUFFIX}");
    let on_offer = [(ALLOW, "POST,OPTIONS"), (ACCEPT_POST, ACCEPTED)];
    let on_session = [(ALLOW, "DELETE,PATCH,OPTIONS"), (ACCEPT_PATCH, SdpFragment::MEDIA_TYPE)];
    let on_events = [(ALLOW, "GET,HEAD,OPTIONS")];
    let router = Router::new()
        .route(OFFER_PATH, post(offer::answer).options(async || options(on_offer)))
        .route(&session, delete(sessions::end).patch(patch::patch).options(async || options(on_session)))
        .route(&events, get(events::events).options(async || options(on_events)))
        .route(HEALTH_PATH, get(health::alive))
        .route(READY_PATH, get(health::ready))
        .route(METRICS_PATH, get(metrics::metrics))
        .method_not_allowed_fallback(async || {
            Refusal::new(ProblemCode::MethodNotAllowed, "the header Allow names the methods that are")
        });
    let router = match fallback {
        Some(fallback) => router.fallback_service(fallback),
        None => router.fallback(async || nothing_here()),
    };
    router
        // The bytes are counted where bodies are read.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::guard))
        .with_state(shared)
}

/// What every path without a resource says.
fn nothing_here() -> Refusal {
    Refusal::new(ProblemCode::NotFound, "there is POST /offer, to start with")
}

/// What a resource can do (RFC 9110, 9.3.7), each method and format by its header.
fn options<const N: usize>(headers: [(HeaderName, &'static str); N]) -> impl IntoResponse {
    (StatusCode::NO_CONTENT, headers)
}

/// The last resort: a fault of ours ends one request, not its connection.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    Refusal::internal(message).into_response()
}
