//! `POST /offer`: an offer comes in, the answer goes out (in WHIP's shape, RFC 9725, 4.2).

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{ConnectInfo, OriginalUri, State},
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use hola_webrtc_protocol::{
    ProblemCode, SessionDescription, server_timing,
    signal::{OFFER_PATH, session_path},
};

use super::{MAX_OFFER_BYTES, format::Format, problem::Refusal};
use crate::{OfferContext, RtcServer};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What the handlers share.
#[derive(Clone, Debug)]
pub(super) struct Signalling {
    /// Who answers.
    pub(super) server: RtcServer,
    /// How long the body of an offer may take to arrive.
    pub(super) offer_timeout: Duration,
}

/// Step 6, as HTTP sees it. Nothing is left of a request that is refused.
pub(super) async fn answer(
    State(signalling): State<Signalling>,
    OriginalUri(uri): OriginalUri,
    remote: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let format = Format::of_request(&headers)?;
    let reply_format = format.of_reply(&headers)?;
    let body = receive(body, signalling.offer_timeout).await?;
    let offer = match format {
        Format::Json => sdp_of_json(&body)?,
        Format::Sdp => String::from_utf8(body.into())
            .map_err(|_| Refusal::new(ProblemCode::BadSdp, "an SDP is UTF-8 (RFC 8866, 5)"))?,
    };

    let accept_language = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let context = OfferContext {
        remote: remote.map(|Extension(ConnectInfo(address))| address),
        accept_language: accept_language.map(str::to_owned),
        ..OfferContext::default()
    };
    let answered = signalling.server.answer(&offer, context).await?;

    // Where this router is nested stands in front of its own path.
    let nest = uri.path().strip_suffix(OFFER_PATH).unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, reply_format.media_type().to_owned()),
        (LOCATION, format!("{nest}{}", session_path(answered.id))),
        (SERVER_TIMING, server_timing::encode(answered.timings)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    let body = match reply_format {
        Format::Json => serde_json::to_string(&SessionDescription::answer(answered.sdp))
            .map_err(|error| Refusal::new(ProblemCode::Internal, error.to_string()))?,
        Format::Sdp => answered.sdp,
    };
    Ok((StatusCode::CREATED, headers, body).into_response())
}

/// The whole body, within its limits.
async fn receive(body: Body, timeout: Duration) -> Result<Bytes, Refusal> {
    let too_large = || {
        let detail = format!("an offer may have {MAX_OFFER_BYTES} bytes");
        Refusal::new(ProblemCode::BodyTooLarge, detail)
    };
    // The length that `Content-Length` announces, if it does.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > MAX_OFFER_BYTES) {
        return Err(too_large());
    }
    let bytes = tokio::time::timeout(timeout, to_bytes(body, MAX_OFFER_BYTES))
        .await
        .map_err(|_| {
            let detail = format!("the body did not come within {timeout:?}");
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
        return Err(Refusal::new(ProblemCode::EmptyBody, "send the offer as the body of the request"));
    }
    Ok(bytes)
}

/// The SDP in `{"type": "offer", "sdp": …}`; further members are passed over.
fn sdp_of_json(body: &[u8]) -> Result<String, Refusal> {
    let mut json: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::new(ProblemCode::NotJson, error.to_string()))?;
    let Some(serde_json::Value::String(sdp)) = json.get_mut("sdp").map(serde_json::Value::take) else {
        let detail = "the body must be an object with the SDP as a text named sdp";
        return Err(Refusal::new(ProblemCode::MissingSdp, detail));
    };
    match json.get("type").and_then(serde_json::Value::as_str) {
        Some("offer") => Ok(sdp),
        Some(other) => {
            Err(Refusal::new(ProblemCode::NotAnOffer, format!("its type is {other:?}, not \"offer\"")))
        }
        None => Err(Refusal::new(ProblemCode::NotAnOffer, "it must say \"type\": \"offer\"")),
    }
}
