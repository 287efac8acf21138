//! `PATCH /sessions/{id}`: candidates that the client found since its offer, or an ICE restart (RFC 9725, 4.3).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_MATCH},
    },
    response::{IntoResponse, Response},
};
use hola_webrtc_protocol::{ProblemCode, SdpFragment, SdpFragmentError, SessionId};
use mediatype::MediaType;

use super::{
    ACCEPT_PATCH, body::receive, client::Client, problem::Refusal, sessions::Named, signalling::Shared,
};

pub(super) async fn patch(
    State(shared): State<Arc<Shared>>,
    client: Client,
    named: Named,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    // What refuses soonest costs least.
    shared.ensure_patch_rate(client)?;
    ensure_fragment(&headers)?;
    let condition = Condition::of(&headers)?;
    let body = receive(body, &shared.server).await?;
    let fragment = parse(&body)?;
    let id = named.id()?;
    match condition {
        Condition::Any => {
            // It costs as much as an offer.
            shared.ensure_offer_rate(client)?;
            restart(&shared, id, fragment).await
        }
        Condition::Tag(etag) => {
            shared.server.trickle(id, &etag, fragment.candidates)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
    }
}

async fn restart(shared: &Shared, id: SessionId, fragment: SdpFragment) -> Result<Response, Refusal> {
    let SdpFragment { ufrag: Some(ufrag), password: Some(password), mid, candidates, .. } = fragment else {
        let detail = "If-Match: * restarts ICE, for which the fragment must have a new ice-ufrag and ice-pwd";
        return Err(Refusal::new(ProblemCode::BadFragment, detail));
    };
    let restarted = shared.server.restart_ice(id, &ufrag, &password).await?;
    if !candidates.is_empty() {
        // The restart stands without them: the client's checks tell where it is.
        let _ = shared.server.trickle(id, &restarted.etag, candidates);
    }
    let answer = SdpFragment {
        ufrag: Some(restarted.ufrag),
        password: Some(restarted.password),
        mid,
        candidates: restarted.candidates,
        end_of_candidates: true,
    };
    let headers = [
        (CONTENT_TYPE, SdpFragment::MEDIA_TYPE.to_owned()),
        (ETAG, format!("\"{}\"", restarted.etag)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, answer.to_string()).into_response())
}

/// Which ICE session the request is meant for.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// Whichever it is: it ends, a new one begins.
    Any,
    /// The one of this entity tag.
    Tag(String),
}

impl Condition {
    /// Reads `If-Match` (RFC 9110, 13.1.1). A client knows one ICE session of a connection, so a list of tags is none
    /// that it could mean.
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut fields = headers.get_all(IF_MATCH).iter();
        let Some(field) = fields.next() else {
            let detail = "send If-Match with the ETag of the answer, or with * to restart ICE";
            return Err(Refusal::new(ProblemCode::PreconditionRequired, detail));
        };
        let field = field.to_str().ok().filter(|_| fields.next().is_none()).map(str::trim);
        match field {
            Some("*") => Ok(Self::Any),
            // Weak tags never match here.
            Some(tag) => tag
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'))
                .filter(|tag| !tag.contains('"'))
                .map(|tag| Self::Tag(tag.to_owned()))
                .ok_or_else(unmatched),
            None => Err(unmatched()),
        }
    }
}

fn unmatched() -> Refusal {
    Refusal::new(ProblemCode::PreconditionFailed, "If-Match must be * or one entity tag in double quotes")
}

fn ensure_fragment(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut fields = headers.get_all(CONTENT_TYPE).iter();
    let field = fields.next().and_then(|field| field.to_str().ok()).filter(|_| fields.next().is_none());
    let media_type = field.and_then(|field| MediaType::parse(field).ok());
    let is_fragment = media_type.is_some_and(|media_type| {
        media_type.essence().to_string().eq_ignore_ascii_case(SdpFragment::MEDIA_TYPE)
    });
    if is_fragment && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let detail = format!("send the fragment as {}, without a content coding", SdpFragment::MEDIA_TYPE);
    let accept = HeaderValue::from_static(SdpFragment::MEDIA_TYPE);
    Err(Refusal::new(ProblemCode::UnsupportedMediaType, detail).with_header(ACCEPT_PATCH, accept))
}

fn parse(body: &[u8]) -> Result<SdpFragment, Refusal> {
    let bad = |detail: String| Refusal::new(ProblemCode::BadFragment, detail);
    let text = std::str::from_utf8(body).map_err(|_| bad("an SDP fragment is UTF-8".to_owned()))?;
    text.parse().map_err(|error: SdpFragmentError| bad(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_star_or_one_strong_tag() {
        use ProblemCode::{PreconditionFailed, PreconditionRequired};
        for (fields, condition) in [
            (&["*"][..], Ok(Condition::Any)),
            (&["\"a1\""], Ok(Condition::Tag("a1".to_owned()))),
            (&["\"\""], Ok(Condition::Tag(String::new()))),
            (&[], Err(PreconditionRequired)),
            (&["W/\"a1\""], Err(PreconditionFailed)),
            (&["a1"], Err(PreconditionFailed)),
            (&["\""], Err(PreconditionFailed)),
            (&["\"a1\", \"a2\""], Err(PreconditionFailed)),
            (&["*", "*"], Err(PreconditionFailed)),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(IF_MATCH, HeaderValue::from_static(field));
            }
            let read = Condition::of(&headers).map_err(|refusal| refusal.problem().code);
            assert_eq!(read, condition, "{fields:?}");
        }
    }
}
