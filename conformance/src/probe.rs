//! How the checks talk to the server.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use hola_webrtc_offerer::{
    Channel, ConnectOptions, Connection, Offerer, Pending, Reply, Settings, Sockets, Trust, http::resolve,
    offer_url, read_reply, servers_of,
};
use hola_webrtc_protocol::{Problem, ProblemCode, SdpFragment, SessionDescription, sdp, signal};
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
    /// Where the server may be: an address of each family that its name has.
    servers: Vec<IpAddr>,
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
        let servers = servers_of(&url).await?;
        let offer = offerer.offer(servers[0], &ConnectOptions::default())?.sdp();
        Ok(Self { offerer, url, token: target.token.clone(), servers, offer })
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
        broken(format!("after {ATTEMPTS} attempts the server still asks for patience"))
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
        let (mut pending, mut session) = self.negotiate(self.servers[0]).await?;
        // Its name may have addresses at which it serves no datagrams: those of localhost, of a proxy in front of it.
        let is_named = |server: &&IpAddr| {
            let addresses = sdp::candidates(&session.reply.answer).filter_map(|it| it.address.parse().ok());
            addresses.into_iter().any(|address: IpAddr| address.is_ipv4() == server.is_ipv4())
        };
        if let Some(server) = self.servers.iter().find(is_named).filter(|server| **server != self.servers[0])
        {
            self.end(&session).await?;
            (pending, session) = self.negotiate(*server).await?;
        }
        let (connection, channel) = pending.accept(session.reply.clone()).await?;
        Ok((session, connection, channel))
    }

    async fn negotiate(&self, server: IpAddr) -> Result<(Pending, Session), Fault> {
        let pending = self.offerer.offer(server, &ConnectOptions::default())?;
        let offer = serde_json::to_vec(&SessionDescription::offer(pending.sdp()));
        let offer = offer.map_err(|error| Fault::Broken(error.to_string()))?;
        let session = self.session(self.post(signal::JSON, &[], offer).await?)?;
        Ok((pending, session))
    }

    /// What a reply to an offer says.
    pub(crate) fn session(&self, reply: Response) -> Result<Session, Fault> {
        let reply = read_reply(&self.url, reply.into())?;
        let Some(url) = reply.session.clone() else {
            return broken("the reply to the offer has no Location");
        };
        let is_open = self.url.scheme_str() == Some("https") && url.scheme_str() != Some("https");
        ensure(!is_open, || format!("clients do not follow {url} from an offer that was posted with TLS"))?;
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

    /// The targets of the links with this relation (RFC 8288, 3), and the parameters of each.
    pub(crate) fn links(&self, relation: &str) -> Vec<(String, String)> {
        let values = self.reply.headers.get_all(header::LINK).iter().flat_map(|value| value.to_str());
        let links = values.flat_map(links_of).filter(|(_, parameters)| {
            let relations = parameters.split(';').filter_map(|part| {
                let (name, value) = part.split_once('=')?;
                name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"'))
            });
            relations.flat_map(str::split_ascii_whitespace).any(|each| each.eq_ignore_ascii_case(relation))
        });
        links.map(|(target, parameters)| (target.to_owned(), parameters.to_owned())).collect()
    }
}

/// The targets in a header, each with its parameters. No target has a `<` in it, and where one is in a quoted parameter no comma
/// is before it.
fn links_of(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let begins = |at: &usize| {
        let before = header[..*at].trim_end();
        before.is_empty() || before.ends_with(',')
    };
    let starts: Vec<usize> = header.match_indices('<').map(|(at, _)| at).filter(begins).collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([header.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| header[start + 1..end].split_once('>'))
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

    use hola_webrtc_server::{RtcServer, echo};

    use super::*;

    #[tokio::test]
    async fn of_the_addresses_of_a_name_the_one_is_connected_to_whose_family_the_answer_has() {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = RtcServer::builder().listen(listen).start().unwrap();
        tokio::spawn(echo::serve(server.clone(), Duration::ZERO));
        let listener = tokio::net::TcpListener::bind(listen).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, server.router()).await });
        let mut probe = Probe::new(&Target { url, trust: Trust::System, token: None }).await.unwrap();
        probe.servers = vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        let (_session, _connection, channel) =
            probe.connect().await.map_err(|fault| fault.to_string()).unwrap();
        assert!(channel.is_open());
    }

    #[test]
    fn links_are_told_apart_however_they_are_joined() {
        for header in ["<a>; rel=\"x\", <b>;rel=y", "<a>;rel=\"x\",<b>; rel=y"] {
            let links: Vec<_> = links_of(header).map(|(target, _)| target).collect();
            assert_eq!(links, ["a", "b"], "{header}");
        }
        assert_eq!(links_of("<turn:t>; credential=\"<a>\"").count(), 1);
    }
}
