//! How the checks talk to the server.

use std::{net::IpAddr, time::Duration};

use anyhow::Result;
use bytes::Bytes;
use hola_webrtc_offerer::{
    Channel, ChannelOptions, ConnectOptions, Connection, Offerer, Pending, Reply, Settings, Sockets, Trust,
    better_of, http::resolve, offer_url, read_reply, servers_of,
};
use hola_webrtc_protocol::{
    SdpFragment, SessionDescription,
    link::{self, Link},
    signal,
};
use hyper::{Method, Request, StatusCode, Uri, header};
use tokio::time::sleep;

use crate::{
    response::Response,
    verdict::{Fault, Verdict, broken, ensure, not_offered},
};

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
    /// What else the server's program wants to read in an offer's head.
    pub headers: Vec<(String, String)>,
    /// The label of the channel that is opened.
    pub label: String,
}

/// What the checks have in common.
#[derive(Debug)]
pub struct Probe {
    pub(crate) offerer: Offerer,
    pub(crate) url: Uri,
    pub(crate) token: Option<String>,
    headers: Vec<(String, String)>,
    pub(crate) options: ConnectOptions,
    /// Where the server may be: an address of each family that its name has.
    servers: Vec<IpAddr>,
    offer: String,
}

/// A session that was answered.
pub(crate) struct Session {
    pub(crate) url: Uri,
    pub(crate) reply: Reply,
}

impl Default for Target {
    fn default() -> Self {
        let ConnectOptions { channel, headers, .. } = ConnectOptions::default();
        Self { url: String::new(), trust: Trust::default(), token: None, headers, label: channel.label }
    }
}

impl Probe {
    /// Makes ready; nothing is sent to the server yet.
    pub(crate) async fn new(target: &Target) -> Result<Self> {
        let offerer = Offerer::new(Settings { trust: target.trust, sockets: Sockets::Own })?;
        let url = offer_url(&target.url)?;
        let servers = servers_of(&url).await?;
        let channel = ChannelOptions::labelled(&target.label);
        let options = ConnectOptions { channel, ..ConnectOptions::default() };
        let offer = offerer.offer(servers[0], &options)?.sdp();
        let (token, headers) = (target.token.clone(), target.headers.clone());
        Ok(Self { offerer, url, token, headers, options, servers, offer })
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

    /// Posts an offer of this type, with the token and whatever else the program wants.
    pub(crate) async fn post(
        &self,
        kind: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response, Fault> {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let token = bearer.as_ref().map(|bearer| ("authorization", bearer.as_str()));
        let further = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all = [("content-type", kind)].into_iter().chain(token).chain(further);
        let all: Vec<(&str, &str)> = all.chain(headers.iter().copied()).collect();
        self.send(Method::POST, &self.url, &all, body).await
    }

    /// A session that nobody will connect to.
    pub(crate) async fn begin(&self) -> Result<Session, Fault> {
        let reply = self.post(signal::JSON, &[], self.json()).await?;
        self.session(reply)
    }

    /// A session with a channel that is open.
    pub(crate) async fn connect(&self) -> Result<(Session, Connection, Channel), Fault> {
        self.connect_as(&self.options, str::to_owned).await
    }

    /// The same with other options, by an answer that this side reads in another way.
    pub(crate) async fn connect_as(
        &self,
        options: &ConnectOptions,
        read: impl FnOnce(&str) -> String,
    ) -> Result<(Session, Connection, Channel), Fault> {
        let (mut pending, mut session) = self.negotiate(self.servers[0], options).await?;
        if let Some(server) = better_of(&self.servers, &session.reply.answer) {
            self.end(&session).await?;
            (pending, session) = self.negotiate(server, options).await?;
        }
        let answer = read(&session.reply.answer);
        let (connection, channel) = pending.accept(Reply { answer, ..session.reply.clone() }).await?;
        Ok((session, connection, channel))
    }

    async fn negotiate(&self, server: IpAddr, options: &ConnectOptions) -> Result<(Pending, Session), Fault> {
        let pending = self.offerer.offer(server, options)?;
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
        self.may_follow(&url)?;
        Ok(Session { url, reply })
    }

    /// Whether clients follow a URL that the reply to the offer names.
    pub(crate) fn may_follow(&self, url: &Uri) -> Verdict {
        let leaves_tls = self.url.scheme_str() == Some("https") && url.scheme_str() != Some("https");
        ensure(!leaves_tls, || format!("clients do not follow {url} from an offer that was posted with TLS"))
    }

    /// The URL of something beside `/offer`.
    pub(crate) fn beside(&self, path: &str) -> Result<Uri, Fault> {
        let base = self.url.path().strip_suffix(signal::OFFER_PATH).unwrap_or_default();
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

    /// The links of this relation.
    pub(crate) fn links(&self, relation: &str) -> Vec<Link<'_>> {
        let values = self.reply.headers.get_all(header::LINK).iter().flat_map(|value| value.to_str());
        values.flat_map(link::parse).filter(|link| link.has_relation(relation)).collect()
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
        let mut probe = Probe::new(&Target { url, ..Target::default() }).await.unwrap();
        probe.servers = vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        let (_session, _connection, channel) =
            probe.connect().await.map_err(|fault| fault.to_string()).unwrap();
        assert!(channel.is_open());
    }

    #[tokio::test]
    async fn a_session_that_leaves_tls_is_not_followed() {
        let target = Target { url: "http://127.0.0.1:9".to_owned(), ..Target::default() };
        let mut probe = Probe::new(&target).await.unwrap();
        let answer = serde_json::to_vec(&SessionDescription::answer("v=0\r\n")).unwrap();
        let reply = |location: &str| {
            let reply = hyper::Response::builder().status(201).header(header::LOCATION, location);
            let (head, body) = reply.body(Bytes::from(answer.clone())).unwrap().into_parts();
            Response { status: head.status, headers: head.headers, body }
        };
        probe.url = "https://host.example/offer".parse().unwrap();
        for location in ["/sessions/1", "https://other.example/sessions/1"] {
            assert!(probe.session(reply(location)).is_ok(), "{location}");
        }
        let followed = probe.session(reply("http://host.example/sessions/1")).map(|session| session.url);
        assert!(matches!(followed, Err(Fault::Broken(_))), "{followed:?}");
        assert!(probe.may_follow(&"http://host.example/sessions/1/events".parse().unwrap()).is_err());
    }
}
