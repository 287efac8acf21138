//! From the offer to the open channel.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hola_webrtc_protocol::{SdpType, SessionDescription, signal};
use hyper::{Request, Response, Uri, header};
use rtc::{
    crypto::{RTCCryptoProvider, SignatureScheme},
    data_channel::RTCDataChannelId,
    ice::mdns::MulticastDnsMode,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        certificate::{CertificateParams, RTCCertificate},
        configuration::{
            RTCConfigurationBuilder,
            setting_engine::{SctpMaxMessageSize, SettingEngineBuilder},
        },
        transport::RTCIceCandidateInit,
    },
};
use tokio::time::timeout;

use crate::{
    Channel, ConnectError, ConnectOptions, Connection, Reply, SendError, Settings, Sockets,
    address::{better_of, offer_url, servers_of, source_towards},
    core::Core,
    http::{Http, is_type, resolve},
    line::LineState,
    link::{Exchange, Link, Seat},
    port::Port,
};

/// How often a pair is checked; a browser does it about as often.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// How often a pair may be checked in vain. The deadline comes sooner.
const CHECK_LIMIT: u16 = u16::MAX;

/// How long the server may be silent before ICE is disconnected, and then before it has failed.
const SILENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(10));

/// How often the server is asked for a sign of life.
const KEEPALIVE: Duration = Duration::from_secs(2);

/// What many connections have in common: a certificate, an HTTP client and, if wanted, a socket. Cheap to clone.
#[derive(Clone)]
pub struct Offerer {
    provider: Arc<dyn RTCCryptoProvider>,
    certificate: RTCCertificate,
    http: Http,
    exchange: Option<Arc<Exchange>>,
}

/// A connection that has an offer and wants an answer.
#[derive(Debug)]
pub struct Pending {
    connection: Connection,
    channel: Channel,
    server: IpAddr,
}

impl Offerer {
    /// An offerer with these settings. Its connections are served on the runtime it is made on.
    pub fn new(settings: Settings) -> Result<Self, ConnectError> {
        let provider = rtc::crypto::default_provider().map_err(internal)?;
        let parameters = CertificateParams::new(Vec::new()).map_err(internal)?;
        let certificate =
            RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, parameters)
                .map_err(internal)?;
        let exchange = match settings.sockets {
            Sockets::Own => None,
            Sockets::Shared => Some(Exchange::start()?),
        };
        Ok(Self { provider, certificate, http: Http::new(settings.trust)?, exchange })
    }

    /// The HTTP client that the offers are posted with.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Connects to the server with this base URL, or whose offers go to this URL that ends in `/offer`. Returns when
    /// the channel is open.
    pub async fn connect(
        &self,
        url: &str,
        options: &ConnectOptions,
    ) -> Result<(Connection, Channel), ConnectError> {
        let url = offer_url(url)?;
        let connecting = async {
            let servers = servers_of(&url).await?;
            let pending = self.offer(servers[0], options)?;
            let reply = self.post(&url, &pending.sdp(), &options.headers).await?;
            let Some(server) = better_of(&servers, &reply.answer) else {
                return pending.accept(reply).await;
            };
            self.end(reply).await?;
            let pending = self.offer(server, options)?;
            let reply = self.post(&url, &pending.sdp(), &options.headers).await?;
            pending.accept(reply).await
        };
        timeout(options.deadline, connecting).await.map_err(|_| ConnectError::Timeout)?
    }

    /// Makes an offer for a server at this address. How it gets there, and the answer back, is the caller's matter.
    pub fn offer(&self, server: IpAddr, options: &ConnectOptions) -> Result<Pending, ConnectError> {
        let (seat, local) = self.seat(server)?;
        let now = Instant::now();
        let mut core = Core::new(self.build(now, options.max_message_size).map_err(internal)?, local);
        let id = prepare(&mut core, now, local, options)?;
        let link = Link::new(core, seat);
        let connection = Connection::new(link.clone());
        tokio::spawn(link.clone().run());
        let channel = Channel::new(link, id).ok_or(SendError::Closed).map_err(internal)?;
        Ok(Pending { connection, channel, server })
    }

    async fn post(
        &self,
        url: &Uri,
        offer: &str,
        headers: &[(String, String)],
    ) -> Result<Reply, ConnectError> {
        let body = serde_json::to_vec(&SessionDescription::offer(offer)).map_err(internal)?;
        let mut request = Request::post(url).header(header::CONTENT_TYPE, signal::JSON);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Bytes::from(body)).map_err(internal)?;
        read_reply(url, self.http.send(request).await?)
    }

    /// Ends a session that nobody connects to.
    async fn end(&self, reply: Reply) -> Result<(), ConnectError> {
        if let Some(session) = reply.session {
            let request = Request::delete(session).body(Bytes::new()).map_err(internal)?;
            self.http.send(request).await?;
        }
        Ok(())
    }

    fn seat(&self, server: IpAddr) -> io::Result<(Seat, SocketAddr)> {
        if let Some(exchange) = self.exchange.as_ref().filter(|_| server.is_ipv4() && server.is_loopback()) {
            return exchange.take();
        }
        let port = Port::bind(server, false)?;
        let local = SocketAddr::new(source_towards(server)?, port.number()?);
        Ok((Seat::Own(Arc::new(port)), local))
    }

    fn build(
        &self,
        now: Instant,
        max_message_size: u32,
    ) -> Result<RTCPeerConnection, rtc::shared::error::Error> {
        let (disconnected, failed) = SILENCE;
        let settings = SettingEngineBuilder::new()
            .with_crypto_provider(self.provider.clone())
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECK_LIMIT))
            .with_ice_timeouts(Some(disconnected), Some(failed), Some(KEEPALIVE))
            .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(max_message_size))
            .build();
        let configuration =
            RTCConfigurationBuilder::new().with_certificates(vec![self.certificate.clone()]).build();
        RTCPeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings)
            .build(now)
    }
}

impl Pending {
    /// The offer.
    pub fn sdp(&self) -> String {
        self.connection.offer()
    }

    /// Takes the answer and waits until the channel is open.
    pub async fn accept(mut self, reply: Reply) -> Result<(Connection, Channel), ConnectError> {
        self.connection.accept(&reply.answer, Some(self.server))?;
        self.connection.reply = reply;
        match self.channel.reach(LineState::Open).await {
            LineState::Open => Ok((self.connection, self.channel)),
            _ => Err(ConnectError::Ended(self.connection.closed().await)),
        }
    }
}

/// Steps 2 to 4 of the negotiation: the channel, the offer, the local description.
fn prepare(
    core: &mut Core,
    now: Instant,
    local: SocketAddr,
    options: &ConnectOptions,
) -> Result<RTCDataChannelId, ConnectError> {
    let id = core.create(&options.channel).map_err(internal)?;
    let offer = core.peer.create_offer(None).map_err(internal)?;
    core.peer.set_local_description(now, offer).map_err(internal)?;
    let candidate = format!("candidate:1 1 udp 2130706431 {} {} typ host", local.ip(), local.port());
    let candidate = RTCIceCandidateInit { candidate, ..Default::default() };
    core.peer.add_local_candidate(candidate).map_err(internal)?;
    Ok(id)
}

/// Reads the reply to an offer, of either format.
pub fn read_reply(url: &Uri, response: Response<Bytes>) -> Result<Reply, ConnectError> {
    let (head, body) = response.into_parts();
    if head.status != 201 {
        return Err(ConnectError::Refused {
            status: head.status.as_u16(),
            problem: serde_json::from_slice(&body).ok(),
        });
    }
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let answer = if is_type(&head.headers, signal::SDP) {
        String::from_utf8(body.to_vec()).map_err(|error| ConnectError::BadAnswer(error.to_string()))?
    } else {
        let answer: SessionDescription =
            serde_json::from_slice(&body).map_err(|error| ConnectError::BadAnswer(error.to_string()))?;
        if answer.kind != SdpType::Answer {
            return Err(ConnectError::BadAnswer("it is not of the type answer".to_owned()));
        }
        answer.sdp
    };
    let session = text(header::LOCATION).and_then(|location| resolve(url, location));
    Ok(Reply { answer, headers: head.headers, session })
}

fn internal(error: impl fmt::Display) -> ConnectError {
    ConnectError::Internal(error.to_string())
}

impl fmt::Debug for Offerer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offerer").field("has_shared_socket", &self.exchange.is_some()).finish_non_exhaustive()
    }
}
