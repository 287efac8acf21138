//! Which pages of other origins may use the signalling.

use std::{fmt, str::FromStr};

use axum::http::{
    HeaderMap, HeaderValue, Uri,
    header::{HOST, ORIGIN},
    uri::Authority,
};

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

/// Which pages may use the signalling beside those of its own origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    allowed: Vec<Origin>,
    /// The public URL's.
    own: Option<Origin>,
}

/// How a request's page stands to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Of the server's own origin, or no page's at all: no other rule than for programs.
    Own,
    /// Of another origin that is let in, with what `Access-Control-Allow-Origin` has to say.
    Allowed(HeaderValue),
    /// Of another origin that is not.
    Foreign,
}

impl Origins {
    pub(super) fn new(allowed: Vec<Origin>, own: Option<Origin>) -> Self {
        Self { allowed, own }
    }

    /// Judges a request by its `Origin`, which a page cannot forge.
    pub(super) fn standing(&self, uri: &Uri, headers: &HeaderMap) -> Standing {
        let Some(origin) = headers.get(ORIGIN) else { return Standing::Own };
        if self.allowed.iter().any(|Origin(allowed)| allowed == "*") {
            return Standing::Allowed(HeaderValue::from_static("*"));
        }
        if self.allowed.iter().any(|Origin(allowed)| allowed == origin) {
            return Standing::Allowed(origin.clone());
        }
        // The browser's own verdict holds also behind a proxy that changes `Host`.
        // https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header
        let said_by_browser = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
        let is_public = self.own.as_ref().is_some_and(|Origin(own)| own == origin);
        if said_by_browser || is_public || is_of_host(origin, uri, headers) {
            Standing::Own
        } else {
            Standing::Foreign
        }
    }
}

/// Whether the origin has the host and the port that the request went to. The scheme is not known here: TLS may end
/// before the program.
fn is_of_host(origin: &HeaderValue, uri: &Uri, headers: &HeaderMap) -> bool {
    // HTTP/2 names the host in `:authority`, HTTP/1.1 in `Host`.
    let host = uri.authority().map(Authority::as_str);
    let host = host.or_else(|| headers.get(HOST)?.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let (Some(host), Some((scheme, origin))) = (host, origin) else { return false };
    let default_port = if scheme == "http" { ":80" } else { ":443" };
    host.strip_suffix(default_port).unwrap_or(host).eq_ignore_ascii_case(origin)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

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

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        fields.collect()
    }

    #[test]
    fn a_page_stands_by_its_origin() {
        let origins = |allowed: &[&str], own: Option<&str>| {
            let allowed = allowed.iter().map(|origin| origin.parse().unwrap()).collect();
            Origins::new(allowed, own.map(|own| own.parse().unwrap()))
        };
        let strict = origins(&[], None);
        let listed = origins(&["https://a.example"], Some("https://public.example"));
        let star = origins(&["*"], None);
        let allowed = |value| Standing::Allowed(HeaderValue::from_static(value));
        let origin = "https://a.example";
        for (origins, uri, fields, standing) in [
            (&strict, "/", &[("host", "h")][..], Standing::Own),
            (&strict, "/", &[("host", "h"), ("origin", origin)], Standing::Foreign),
            (&strict, "/", &[("host", "A.example:443"), ("origin", origin)], Standing::Own),
            (&strict, "/", &[("host", "a.example:80"), ("origin", origin)], Standing::Foreign),
            (&strict, "https://a.example/", &[("host", "h"), ("origin", origin)], Standing::Own),
            (&strict, "/", &[("host", "h:8443"), ("origin", "https://h:8443")], Standing::Own),
            (&strict, "/", &[("host", "h:8443"), ("origin", "https://h:8444")], Standing::Foreign),
            (&strict, "/", &[("host", "[::1]:80"), ("origin", "http://[::1]")], Standing::Own),
            (&strict, "/", &[("host", "null"), ("origin", "null")], Standing::Foreign),
            (&strict, "/", &[("origin", origin)], Standing::Foreign),
            (&strict, "/", &[("origin", origin), ("sec-fetch-site", "same-origin")], Standing::Own),
            (&strict, "/", &[("origin", origin), ("sec-fetch-site", "same-site")], Standing::Foreign),
            (&listed, "/", &[("origin", origin)], allowed(origin)),
            (&listed, "/", &[("origin", "https://public.example")], Standing::Own),
            (&listed, "/", &[("origin", "https://b.example")], Standing::Foreign),
            (&listed, "/", &[("origin", "https://a.example:444")], Standing::Foreign),
            (&star, "/", &[("origin", "null")], allowed("*")),
        ] {
            assert_eq!(
                origins.standing(&uri.parse().unwrap(), &headers(fields)),
                standing,
                "{uri} {fields:?}"
            );
        }
    }
}
