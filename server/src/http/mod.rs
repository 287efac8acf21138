//! The signalling: an axum router that takes offers and ends sessions.

mod cors;
mod format;
mod offer;
mod problem;
mod sessions;

use std::{any::Any, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    http::Response,
    response::IntoResponse,
    routing::{delete, get, post},
};
use hola_webrtc_protocol::{
    Problem, ProblemCode,
    signal::{HEALTH_PATH, OFFER_PATH, SESSIONS_PATH},
};
use tower_http::catch_panic::CatchPanicLayer;

pub use self::{
    cors::{InvalidOrigin, Origin, cors},
    problem::Refusal,
};
use crate::RtcServer;

/// The largest offer taken, in bytes. A browser's offer of one data channel has about 1 KiB, and some hundred
/// bytes more per candidate.
pub const MAX_OFFER_BYTES: usize = 64 * 1024;

/// How long the body of an offer may take to arrive.
pub const OFFER_TIMEOUT: Duration = Duration::from_secs(10);

impl RtcServer {
    /// The signalling as a router: `POST /offer`, `DELETE /sessions/{id}`, `GET /healthz`.
    ///
    /// It can be nested under any path; `Location` then names the full path. Every refusal has a [`Problem`] as
    /// its body, also that of an unknown path, so to merge it into a router with a fallback of its own, call
    /// [`Router::reset_fallback`] first. The client's address appears in
    /// [`OfferContext::remote`](crate::OfferContext::remote) if the program serves with
    /// [`Router::into_make_service_with_connect_info`].
    ///
    /// Pages of other origins cannot use it unless a [`cors`] layer lets them.
    ///
    /// ```
    /// # fn nest(rtc: &hola_webrtc_server::RtcServer) -> axum::Router {
    /// axum::Router::new().nest("/rtc", rtc.router())
    /// # }
    /// ```
    pub fn router(&self) -> Router {
        router(self.clone(), OFFER_TIMEOUT)
    }
}

fn router(server: RtcServer, offer_timeout: Duration) -> Router {
    let signalling = offer::Signalling { server, offer_timeout };
    Router::new()
        .route(OFFER_PATH, post(offer::answer))
        .route(&format!("{SESSIONS_PATH}/{{id}}"), delete(sessions::end))
        .route(HEALTH_PATH, get(async || "ok\n"))
        .method_not_allowed_fallback(async || {
            Refusal::new(ProblemCode::MethodNotAllowed, "the header Allow names the methods that are")
        })
        .fallback(async || Refusal::new(ProblemCode::NotFound, "there is POST /offer, to start with"))
        // `offer::answer` counts the bytes itself.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(signalling)
}

/// The last resort: a fault of ours ends one request, not its connection.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(message, "a request handler panicked");
    Refusal::from(Problem::new(ProblemCode::Internal, "the fault is in the server's log")).into_response()
}
