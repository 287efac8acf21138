//! Which pages of other origins may use the signalling.

use std::{fmt, str::FromStr, time::Duration};

use axum::http::{
    HeaderName, HeaderValue, Method, Uri,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Browsers keep the reply to a preflight for two hours at most.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(2);

/// The origin of a page as its browser writes it: `https://example.org` or `http://localhost:8080`; or `*` for every
/// origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// The text is not an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin has a scheme, a host and perhaps a port, and nothing after it: https://example.org; or * for all"
)]
pub struct InvalidOrigin;

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text == "*" {
            return Ok(Self(HeaderValue::from_static("*")));
        }
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(InvalidOrigin);
        };
        // A browser writes scheme and host in lower case and leaves the scheme's own port out.
        let host = authority.host().to_ascii_lowercase();
        let origin = match authority.port_u16() {
            Some(port) if (scheme, port) != ("https", 443) && (scheme, port) != ("http", 80) => {
                format!("{scheme}://{host}:{port}")
            }
            _ => format!("{scheme}://{host}"),
        };
        let is_origin = text.eq_ignore_ascii_case(&format!("{scheme}://{authority}"))
            && matches!(scheme, "http" | "https")
            && !authority.as_str().contains('@');
        let value = HeaderValue::try_from(origin).map_err(|_| InvalidOrigin)?;
        is_origin.then_some(Self(value)).ok_or(InvalidOrigin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// A layer for [`RtcServer::router`](crate::RtcServer::router) that lets pages of these origins use it
/// ([Fetch, CORS](https://fetch.spec.whatwg.org/#http-cors-protocol)). Without it only pages of the server's own origin
/// can.
pub fn cors(origins: impl IntoIterator<Item = Origin>) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.into_iter().map(|Origin(value)| value).collect();
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins)
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([CONTENT_TYPE])
        .expose_headers([LOCATION, HeaderName::from_static("server-timing"), RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_as_a_browser_writes_it() {
        for (text, origin) in [
            ("https://example.org", Some("https://example.org")),
            ("HTTPS://Example.org:443", Some("https://example.org")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("*", Some("*")),
            ("https://example.org/", None),
            ("https://example.org/page", None),
            ("https://user@example.org", None),
            ("ftp://example.org", None),
            ("example.org", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(
                text.parse().ok().map(|origin: Origin| origin.to_string()).as_deref(),
                origin,
                "{text:?}"
            );
        }
    }
}
