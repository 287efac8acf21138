//! Bodies, read within their limits.

use std::error::Error;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use hola_webrtc_protocol::ProblemCode;

use super::problem::Refusal;
use crate::{Limit, RtcServer};

/// The whole body. Bounded in size and in time, and never empty.
pub(super) async fn receive(body: Body, server: &RtcServer) -> Result<Bytes, Refusal> {
    let (limits, metrics) = (server.limits(), server.metrics());
    let most = limits.max_offer_bytes;
    let too_large = || {
        metrics.limit_reached(Limit::MaxOfferBytes);
        Refusal::new(ProblemCode::BodyTooLarge, format!("the body may have {most} bytes"))
    };
    // The length that `Content-Length` announces, if it does.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > most) {
        return Err(too_large());
    }
    let bytes = tokio::time::timeout(limits.body_timeout, to_bytes(body, most))
        .await
        .map_err(|_| {
            metrics.limit_reached(Limit::BodyTimeout);
            let detail = format!("the body did not come within {:?}", limits.body_timeout);
            Refusal::new(ProblemCode::RequestTimeout, detail)
        })?
        .map_err(|error| {
            if error.source().is_some_and(<dyn Error>::is::<http_body_util::LengthLimitError>) {
                too_large()
            } else {
                Refusal::new(ProblemCode::EmptyBody, format!("the body broke off: {error}"))
            }
        })?;
    if bytes.is_empty() {
        return Err(Refusal::new(ProblemCode::EmptyBody, "the request needs a body"));
    }
    Ok(bytes)
}
