//! What stands before every path: pages of foreign origins are turned away, those let in may read the replies
//! ([Fetch, CORS](https://fetch.spec.whatwg.org/#http-cors-protocol)).

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use hola_webrtc_protocol::ProblemCode;

use super::{origin::Standing, problem::Refusal, signalling::Shared};

/// What a page may read of a reply, beyond what Fetch always lets it read.
const EXPOSED: &str = "location, etag, link, server-timing, retry-after, accept-patch, accept-post, allow, \
                       www-authenticate";

/// The request headers of the profile that a page may set.
const REQUEST_HEADERS: &str = "content-type, authorization, if-match, last-event-id";

/// Browsers keep the reply to a preflight for two hours at most.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let standing = shared.origins.standing(request.uri(), request.headers());
    let is_preflight = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match standing {
        Standing::Foreign => {
            let detail = "the server has to be told to let in pages of other origins than its own";
            Refusal::new(ProblemCode::ForbiddenOrigin, detail).into_response()
        }
        Standing::Own | Standing::Allowed(_) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Standing::Allowed(origin) = standing {
        let_read(headers, origin, is_preflight);
    }
    response
}

fn let_read(headers: &mut HeaderMap, origin: HeaderValue, is_preflight: bool) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST, PATCH, DELETE");
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
    } else {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}
