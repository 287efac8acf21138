//! Pages of the server's own origin and of others.

use hola_webrtc_protocol::{ProblemCode, signal};
use hyper::{Method, header};

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
    probe.end(&probe.session(reply)?).await?;
    ensure(matches!(allowed.as_deref(), Some("*" | FOREIGN)), || {
        format!("Access-Control-Allow-Origin is {allowed:?}")
    })?;
    for name in ["location", "etag", "link", "server-timing", "retry-after"] {
        ensure(is_listed(&exposed, name), || format!("{name} is not exposed: {exposed:?}"))?;
    }
    let preflight = [
        ("origin", FOREIGN),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let reply = probe.send(Method::OPTIONS, &probe.url, &preflight, "").await?;
    ensure(reply.status.is_success(), || format!("a preflight draws {}", reply.describe()))?;
    let origin = reply.text(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    ensure(matches!(origin, Some("*" | FOREIGN)), || format!("a preflight lets in {origin:?}"))?;
    let headers = reply.text(header::ACCESS_CONTROL_ALLOW_HEADERS).unwrap_or_default();
    ensure(is_listed(headers, "content-type"), || format!("a preflight lets through {headers:?}"))
}

/// Whether a list of headers has this one, or all.
fn is_listed(headers: &str, name: &str) -> bool {
    headers.split(',').map(str::trim).any(|listed| listed == "*" || listed.eq_ignore_ascii_case(name))
}

async fn own(probe: &Probe) -> Verdict {
    let authority = probe.url.authority().map_or("", |authority| authority.as_str());
    let origin = format!("{}://{authority}", probe.url.scheme_str().unwrap_or_default());
    let reply = probe.post(signal::JSON, &[("origin", &origin)], probe.json()).await?;
    reply.succeeded(201)?;
    probe.end(&probe.session(reply)?).await?.succeeded(204)
}
