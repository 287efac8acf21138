//! `POST /offer`: an offer comes in, the answer goes out (in WHIP's shape, RFC 9725, 4.2).

use std::sync::Arc;

use axum::{
    extract::{OriginalUri, Request, State},
    http::{
        Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT_LANGUAGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, ETAG, LINK, LOCATION},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use hola_webrtc_protocol::{
    ProblemCode, SessionDescription, server_timing,
    signal::{OFFER_PATH, events_path, session_path},
};

use super::{
    body::receive,
    client::Client,
    format::Format,
    links::events_link,
    problem::Refusal,
    signalling::{OfferRequest, Shared},
};
use crate::{AnswerError, Answered, Limit, OfferContext};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Step 6, as HTTP sees it. Nothing is left of a request that is refused.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    client: Client,
    request: Request,
) -> Result<Response, Refusal> {
    let outcome = try_answer(&shared, client, request).await;
    let code = outcome.as_ref().map(|_| ()).map_err(|refusal| refusal.problem().code);
    shared.server.metrics().offer(code);
    outcome
}

async fn try_answer(shared: &Shared, client: Client, request: Request) -> Result<Response, Refusal> {
    // What refuses soonest costs least.
    shared.ensure_ready()?;
    shared.ensure_offer_rate(client)?;
    let (head, body) = request.into_parts();
    if let Some(token) = &shared.bearer_token {
        token.check(&head.headers)?;
    }
    let format = Format::of_request(&head.headers)?;
    let reply_format = format.of_reply(&head.headers)?;
    let accept_language = head.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let accept_language = accept_language.map(str::to_owned);
    let nest = nest(&head);
    let extensions = shared.ask(head, client).await?;

    let body = receive(body, &shared.server).await?;
    let offer = match format {
        Format::Json => sdp_of_json(&body)?,
        Format::Sdp => String::from_utf8(body.into())
            .map_err(|_| Refusal::new(ProblemCode::BadSdp, "an SDP is UTF-8 (RFC 8866, 5)"))?,
    };
    shared.ensure_size(&offer)?;

    let mut context = OfferContext::default();
    (context.remote, context.accept_language, context.extensions) = (client.0, accept_language, extensions);
    let answered = shared.server.answer(&offer, context).map_err(|error| match error {
        // Offers of peers that never come make room after this time at the latest.
        AnswerError::Full | AnswerError::TooManySessionsOfAddress => {
            Refusal::from(error).retry_after(shared.server.limits().check_timeout)
        }
        _ => error.into(),
    })?;

    let headers = shared.headers(&nest, &answered);
    let content_type = [(CONTENT_TYPE, reply_format.media_type())];
    let body = match reply_format {
        Format::Json => serde_json::to_string(&SessionDescription::answer(answered.sdp))
            .map_err(|error| Refusal::internal(&error.to_string()))?,
        Format::Sdp => answered.sdp,
    };
    Ok((StatusCode::CREATED, content_type, headers, body).into_response())
}

impl Shared {
    /// Asks the program whether it wants the offer.
    async fn ask(&self, mut head: Parts, Client(client): Client) -> Result<Extensions, Refusal> {
        // So that who prints the request prints no secret.
        for name in [AUTHORIZATION, COOKIE] {
            if let Some(value) = head.headers.get_mut(name) {
                value.set_sensitive(true);
            }
        }
        match &self.on_offer {
            Some(hook) => hook(OfferRequest { head, client }).await,
            None => Ok(Extensions::new()),
        }
    }

    /// Bounds what an offer makes the server parse and keep.
    fn ensure_size(&self, offer: &str) -> Result<(), Refusal> {
        let (limits, metrics) = (self.server.limits(), self.server.metrics());
        let lines = || offer.split(['\r', '\n']).filter(|line| !line.is_empty());
        if lines().count() > limits.max_offer_lines {
            metrics.limit_reached(Limit::MaxOfferLines);
            let detail = format!("an offer may have {} lines", limits.max_offer_lines);
            return Err(Refusal::new(ProblemCode::OfferTooLong, detail));
        }
        if lines().filter(|line| line.starts_with("a=candidate:")).count() > limits.max_candidates {
            metrics.limit_reached(Limit::MaxCandidates);
            let detail = format!("a client may name {} candidates", limits.max_candidates);
            return Err(Refusal::new(ProblemCode::TooManyCandidates, detail));
        }
        Ok(())
    }

    /// What the reply tells beside the answer (RFC 9725, 4.2 and 4.6).
    fn headers(&self, nest: &str, answered: &Answered) -> HeaderMap {
        let base = self.public_url.as_ref().map_or_else(|| nest.to_owned(), ToString::to_string);
        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: Option<HeaderValue>| {
            // All of it comes from checked settings and from the request's own path.
            if let Some(value) = value {
                headers.append(name, value);
            }
        };
        add(LOCATION, format!("{base}{}", session_path(answered.id)).try_into().ok());
        add(ETAG, format!("\"{}\"", answered.etag).try_into().ok());
        add(LINK, events_link(&format!("{base}{}", events_path(answered.id))));
        for server in &self.ice_servers {
            add(LINK, server.link());
        }
        add(SERVER_TIMING, server_timing::encode(answered.timings.iter().copied()).try_into().ok());
        add(CACHE_CONTROL, Some(HeaderValue::from_static("no-store")));
        headers
    }
}

/// Where the router is nested: what stands in front of its own path.
fn nest(head: &Parts) -> String {
    let uri = head.extensions.get().map_or(&head.uri, |OriginalUri(uri)| uri);
    uri.path().strip_suffix(OFFER_PATH).unwrap_or_default().to_owned()
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
        _ => Err(Refusal::new(ProblemCode::NotAnOffer, "it must say \"type\": \"offer\"")),
    }
}
