//! Pages of the server's own origin and of others.

use hola_webrtc_protocol::{ProblemCode, signal};
use hyper::{Method, Uri, header};

use crate::{
    Check, Probe, Verdict,
    verdict::{ensure, not_offered},
};

const SECTION: &str = "Pages of other origins";

/// No server lists this one (RFC 2606).
const FOREIGN: &str = "https://conformance.example";

pub(crate) const CHECKS: &[Check] = &[
    Check::new(SECTION, "a foreign page's offer is refused", |probe| Box::pin(foreign(probe))),
    Check::new(SECTION, "a page that is let in may read the headers", |probe| Box::pin(exposed(probe))),
    Check::new(SECTION, "the own origin is served", |probe| Box::pin(own(probe))),
];

async fn foreign(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::JSON, &[("origin", FOREIGN)], probe.json()).await?;
    if reply.status == 201 {
        probe.end(&probe.session(reply)?).await?;
        return not_offered("the server lets in pages of every origin");
    }
    reply.refused(ProblemCode::ForbiddenOrigin)?;
    let allowed = reply.text(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    ensure(allowed.is_none(), || format!("the refusal allows the origin {allowed:?}"))
}

async fn exposed(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::JSON, &[("origin", FOREIGN)], probe.json()).await?;
    if reply.status != 201 {
        return not_offered("pages of other origins are not let in");
    }
    let exposed = reply.text(header::ACCESS_CONTROL_EXPOSE_HEADERS).unwrap_or_default().to_owned();
    let allowed = reply.text(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(str::to_owned);
    let session = probe.session(reply)?;
    let patch = preflight(probe, &session.url, Method::PATCH, &["content-type", "if-match"]).await;
    let delete = preflight(probe, &session.url, Method::DELETE, &[]).await;
    probe.end(&session).await?;
    ensure(matches!(allowed.as_deref(), Some("*" | FOREIGN)), || {
        format!("Access-Control-Allow-Origin is {allowed:?}")
    })?;
    for name in ["location", "etag", "link", "server-timing", "retry-after"] {
        ensure(is_listed(&exposed, name), || format!("{name} is not exposed: {exposed:?}"))?;
    }
    preflight(probe, &probe.url, Method::POST, &["content-type"]).await?;
    patch.and(delete)
}

/// What a browser asks before it sends a page's request ([Fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch)).
async fn preflight(probe: &Probe, url: &Uri, method: Method, names: &[&str]) -> Verdict {
    let asked = names.join(",");
    let mut headers = vec![("origin", FOREIGN), ("access-control-request-method", method.as_str())];
    headers.extend((!asked.is_empty()).then_some(("access-control-request-headers", asked.as_str())));
    let reply = probe.send(Method::OPTIONS, url, &headers, "").await?;
    ensure(reply.status.is_success(), || format!("a preflight of {method} draws {}", reply.describe()))?;
    let origin = reply.text(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    ensure(matches!(origin, Some("*" | FOREIGN)), || format!("a preflight of {method} lets in {origin:?}"))?;
    // POST needs no leave.
    let methods = reply.text(header::ACCESS_CONTROL_ALLOW_METHODS).unwrap_or_default();
    ensure(method == Method::POST || is_listed(methods, method.as_str()), || {
        format!("a preflight of {method} lets {methods:?} through")
    })?;
    let allowed = reply.text(header::ACCESS_CONTROL_ALLOW_HEADERS).unwrap_or_default();
    ensure(names.iter().all(|name| is_listed(allowed, name)), || {
        format!("a preflight of {method} lets through {allowed:?} of {names:?}")
    })
}

/// Whether a list of headers has this one, or all.
fn is_listed(headers: &str, name: &str) -> bool {
    headers.split(',').map(str::trim).any(|listed| listed == "*" || listed.eq_ignore_ascii_case(name))
}

async fn own(probe: &Probe) -> Verdict {
    let origin = origin_of(&probe.url);
    let reply = probe.post(signal::JSON, &[("origin", &origin)], probe.json()).await?;
    reply.succeeded(201)?;
    probe.end(&probe.session(reply)?).await?.succeeded(204)
}

/// As a browser writes it (RFC 6454, 6.2): in lower case, and without the port that is a matter of course.
fn origin_of(url: &Uri) -> String {
    let scheme = url.scheme_str().unwrap_or_default();
    let usual = if scheme == "https" { 443 } else { 80 };
    let port = url.port_u16().filter(|port| *port != usual).map(|port| format!(":{port}"));
    let host = url.host().unwrap_or_default();
    format!("{scheme}://{host}{}", port.unwrap_or_default()).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (url, origin) in [
            ("https://Host.example:443/rtc/offer", "https://host.example"),
            ("http://me@host:80/offer", "http://host"),
            ("https://[::1]:8443/offer", "https://[::1]:8443"),
        ] {
            assert_eq!(origin_of(&url.parse().unwrap()), origin);
        }
    }
}
