//! How the checks talk to the server.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use hola_webrtc_offerer::{
    Channel, ConnectOptions, Connection, Offerer, Reply, Settings, Sockets, Trust, http::resolve, offer_url,
    read_reply, server_of,
};
use hola_webrtc_protocol::{Problem, ProblemCode, SdpFragment, SessionDescription, signal};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri, header};
use tokio::time::sleep;

use crate::verdict::{Fault, Verdict, broken, ensure, not_offered};

/// How often a request that came too soon is sent again.
const ATTEMPTS: usize = 5;

/// The server to look at.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its base URL, or the one that offers go to.
    pub url: String,
    /// Whose certificates are good enough.
    pub trust: Trust,
    /// The bearer token that offers need, if they need one.
    pub token: Option<String>,
}

/// An HTTP reply.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What the checks have in common.
#[derive(Debug)]
pub struct Probe {
    pub(crate) offerer: Offerer,
    pub(crate) url: Uri,
    pub(crate) token: Option<String>,
    server: IpAddr,
    offer: String,
}

/// A session that was answered.
pub(crate) struct Session {
    pub(crate) url: Uri,
    pub(crate) reply: Reply,
}

impl Probe {
    /// Makes ready; nothing is sent to the server yet.
    pub(crate) async fn new(target: &Target) -> Result<Self> {
        let offerer = Offerer::new(Settings { trust: target.trust, sockets: Sockets::Own })?;
        let url = offer_url(&target.url)?;
        let server = server_of(&url).await?;
        let offer = offerer.offer(server, &ConnectOptions::default())?.sdp();
        Ok(Self { offerer, url, token: target.token.clone(), server, offer })
    }

    /// An offer that nobody will connect for.
    pub(crate) fn sdp(&self) -> &str {
        &self.offer
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::json!({ "type": "offer", "sdp": self.offer }).to_string()
    }

    /// Sends a request. One that is refused because others came too soon before it waits as it is told to.
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &Uri,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response, Fault> {
        let body = body.into();
        for _ in 0..ATTEMPTS {
            let mut request = Request::builder().method(method.clone()).uri(url);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(body.clone()).map_err(|error| Fault::Broken(error.to_string()))?;
            let (head, body) = self.offerer.http().send(request).await?.into_parts();
            let reply = Response { status: head.status, headers: head.headers, body };
            let wait = reply.text(header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
            match wait.filter(|_| reply.status == StatusCode::TOO_MANY_REQUESTS) {
                Some(seconds) => sleep(Duration::from_secs(seconds)).await,
                None => return Ok(reply),
            }
        }
        not_offered("the server goes on asking for patience")
    }

    /// Posts an offer of this type, with the token.
    pub(crate) async fn post(
        &self,
        kind: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response, Fault> {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let token = bearer.as_ref().map(|bearer| ("authorization", bearer.as_str()));
        let headers: Vec<(&str, &str)> =
            [("content-type", kind)].into_iter().chain(token).chain(headers.iter().copied()).collect();
        self.send(Method::POST, &self.url, &headers, body).await
    }

    /// A session that nobody will connect to.
    pub(crate) async fn begin(&self) -> Result<Session, Fault> {
        let reply = self.post(signal::JSON, &[], self.json()).await?;
        self.session(reply)
    }

    /// A session with a channel that is open.
    pub(crate) async fn connect(&self) -> Result<(Session, Connection, Channel), Fault> {
        let pending = self.offerer.offer(self.server, &ConnectOptions::default())?;
        let offer = serde_json::to_vec(&SessionDescription::offer(pending.sdp()));
        let offer = offer.map_err(|error| Fault::Broken(error.to_string()))?;
        let session = self.session(self.post(signal::JSON, &[], offer).await?)?;
        let (connection, channel) = pending.accept(session.reply.clone()).await?;
        Ok((session, connection, channel))
    }

    /// What a reply to an offer says.
    pub(crate) fn session(&self, reply: Response) -> Result<Session, Fault> {
        let reply = read_reply(&self.url, reply.into())?;
        let Some(url) = reply.session.clone() else {
            return broken("the reply to the offer has no Location");
        };
        Ok(Session { url, reply })
    }

    /// The URL of something beside `/offer`.
    pub(crate) fn beside(&self, path: &str) -> Result<Uri, Fault> {
        let base = self.url.path().trim_end_matches(signal::OFFER_PATH);
        resolve(&self.url, &format!("{base}{path}")).ok_or_else(|| Fault::Broken("the URL is odd".to_owned()))
    }

    /// Sends an SDP fragment.
    pub(crate) async fn patch(
        &self,
        session: &Uri,
        if_match: Option<&str>,
        fragment: &str,
    ) -> Result<Response, Fault> {
        let kind = ("content-type", SdpFragment::MEDIA_TYPE);
        let headers: Vec<_> = [kind].into_iter().chain(if_match.map(|tag| ("if-match", tag))).collect();
        let reply = self.send(Method::PATCH, session, &headers, fragment.to_owned()).await?;
        if matches!(reply.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
            return not_offered("there is no PATCH");
        }
        Ok(reply)
    }

    /// Ends a session that is not needed any more.
    pub(crate) async fn end(&self, session: &Session) -> Result<Response, Fault> {
        self.send(Method::DELETE, &session.url, &[], "").await
    }
}

impl Session {
    /// The entity tag of its ICE session.
    pub(crate) fn etag(&self) -> Result<String, Fault> {
        let tag = self.reply.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        tag.map_or_else(|| broken("the reply to the offer has no ETag"), |tag| Ok(tag.to_owned()))
    }

    /// The targets of the links with this relation, and each link whole.
    pub(crate) fn links(&self, relation: &str) -> Vec<(String, String)> {
        let values = self.reply.headers.get_all(header::LINK).iter().flat_map(|value| value.to_str());
        let wanted = [format!("rel=\"{relation}\""), format!("rel={relation}")];
        let links = values.flat_map(|value| value.split(", <").map(|link| link.trim_start_matches('<')));
        links
            .filter(|link| link.split(';').any(|part| wanted.iter().any(|wanted| part.trim() == wanted)))
            .filter_map(|link| Some((link.split_once('>')?.0.to_owned(), link.to_owned())))
            .collect()
    }
}

impl Response {
    /// A header's value.
    pub(crate) fn text(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether it is a success of this status.
    pub(crate) fn succeeded(&self, status: u16) -> Verdict {
        ensure(self.status == status, || format!("expected {status}, got {}", self.describe()))
    }

    /// Whether it is this refusal, as a problem (RFC 9457) that agrees with its status.
    pub(crate) fn refused(&self, code: ProblemCode) -> Verdict {
        self.refused_by(&[code])
    }

    /// Whether it is one of these refusals.
    pub(crate) fn refused_by(&self, codes: &[ProblemCode]) -> Verdict {
        let expected = || {
            let codes: Vec<String> =
                codes.iter().map(|code| format!("{} {}", code.status(), name(*code))).collect();
            codes.join(" or ")
        };
        ensure(codes.iter().any(|code| self.status == code.status()), || {
            format!("expected {}, got {}", expected(), self.describe())
        })?;
        let kind = self.text(header::CONTENT_TYPE).unwrap_or("none");
        ensure(kind.starts_with(signal::PROBLEM_JSON), || format!("the refusal's content type is {kind}"))?;
        let Ok(problem) = serde_json::from_slice::<Problem>(&self.body) else {
            return broken(format!("the refusal's body is no problem: {}", self.describe()));
        };
        ensure(codes.contains(&problem.code), || {
            format!("expected the code {}, got {}", expected(), self.describe())
        })?;
        ensure(problem.status == self.status.as_u16(), || {
            format!("the problem says {}, the status is {}", problem.status, self.status)
        })
    }

    /// The status and the beginning of the body.
    pub(crate) fn describe(&self) -> String {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(120).collect();
        format!("{} {body:?}", self.status.as_u16())
    }
}

/// A code as it stands in a problem.
fn name(code: ProblemCode) -> String {
    serde_json::to_value(code).ok().and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}

impl From<Response> for hyper::Response<Bytes> {
    fn from(response: Response) -> Self {
        let mut reply = Self::new(response.body);
        (*reply.status_mut(), *reply.headers_mut()) = (response.status, response.headers);
        reply
    }
}
