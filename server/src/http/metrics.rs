//! `GET /metrics`: the server's figures, for those who may see them.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{
        HeaderMap,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE},
    },
    response::IntoResponse,
};

use super::{
    client::{Client, is_forwarded},
    problem::Refusal,
    signalling::Shared,
    token::BearerToken,
};
use crate::Metrics;

/// Who may read `GET /metrics`. A request that names the bearer token, where there is one, always may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricsAccess {
    /// Nobody else.
    Nobody,
    /// Programs of the same host: the client's address is a loopback address, and no proxy forwarded the request.
    #[default]
    Loopback,
    /// Everybody.
    Everybody,
}

/// To all who may not read it there is nothing here.
pub(super) async fn metrics(
    State(shared): State<Arc<Shared>>,
    client: Client,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    let may_read = match shared.metrics_access {
        MetricsAccess::Nobody => false,
        MetricsAccess::Loopback => client.is_loopback() && !is_forwarded(&headers),
        MetricsAccess::Everybody => true,
    };
    // A guess at the token counts as an offer does.
    let has_token = |token: &BearerToken| {
        headers.contains_key(AUTHORIZATION)
            && shared.ensure_offer_rate(client).is_ok()
            && token.check(&headers).is_ok()
    };
    if may_read || shared.bearer_token.as_ref().is_some_and(has_token) {
        let headers = [(CONTENT_TYPE, Metrics::CONTENT_TYPE), (CACHE_CONTROL, "no-store")];
        Ok((headers, shared.server.metrics().encode()))
    } else {
        Err(super::nothing_here())
    }
}
