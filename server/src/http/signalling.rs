//! The settings of the signalling.

use std::{fmt, future::Future, net::SocketAddr, pin::Pin, sync::Arc};

use axum::{
    Router,
    http::{Extensions, request::Parts},
};
use ipnet::IpNet;

use super::{
    links::{IceServer, PublicUrl},
    metrics::MetricsAccess,
    origin::{Origin, Origins},
    problem::Refusal,
    rate::Rate,
    token::BearerToken,
};
use crate::RtcServer;

/// The signalling of a server, to be set up and made into a [`Router`].
///
/// ```
/// # use hola_webrtc_server::{RtcServer, Refusal, ProblemCode};
/// # fn app(server: &RtcServer) -> Result<axum::Router, Box<dyn std::error::Error>> {
/// #[derive(Clone)]
/// struct User(String);
///
/// let signalling = server
///     .signalling()
///     .allow_origins(["https://app.example.org".parse()?])
///     .ice_servers(["stun:stun.example.org".parse()?])
///     .on_offer(|request| async move {
///         let user = request.head.headers.get("x-user").and_then(|user| user.to_str().ok());
///         let user = user.ok_or_else(|| Refusal::new(ProblemCode::Forbidden, "log in first"))?;
///         let mut extensions = axum::http::Extensions::new();
///         extensions.insert(User(user.to_owned())); // found again in Session::context
///         Ok(extensions)
///     });
/// Ok(axum::Router::new().nest("/rtc", signalling.router()))
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until it is made into a router"]
pub struct Signalling {
    server: RtcServer,
    allowed_origins: Vec<Origin>,
    public_url: Option<PublicUrl>,
    ice_servers: Vec<IceServer>,
    bearer_token: Option<BearerToken>,
    trusted_proxies: Vec<IpNet>,
    on_offer: Option<OnOffer>,
    metrics_access: MetricsAccess,
    fallback: Option<Router>,
}

/// An offer, before its body is read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OfferRequest {
    /// The head of the request, with the extensions that the program's own layers put there.
    pub head: Parts,
    /// The client's address, with port 0 if a trusted proxy named it. `None` if the program does not serve with
    /// [`Router::into_make_service_with_connect_info`].
    pub client: Option<SocketAddr>,
}

type OnOffer = Arc<dyn Fn(OfferRequest) -> BoxFuture<Result<Extensions, Refusal>> + Send + Sync>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Signalling {
    pub(super) fn new(server: RtcServer) -> Self {
        Self {
            server,
            allowed_origins: Vec::new(),
            public_url: None,
            ice_servers: Vec::new(),
            bearer_token: None,
            trusted_proxies: Vec::new(),
            on_offer: None,
            metrics_access: MetricsAccess::default(),
            fallback: None,
        }
    }

    /// Lets pages of these origins use the server. By default only those of its own can; others are turned away.
    pub fn allow_origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.allowed_origins = origins.into_iter().collect();
        self
    }

    /// Names the sessions by absolute URLs under this one, which must lead to the router. Behind a load balancer, let
    /// it lead to this very node, so that what follows an offer reaches the node that holds the session. By default
    /// clients are given paths.
    pub fn public_url(mut self, url: PublicUrl) -> Self {
        self.public_url = Some(url);
        self
    }

    /// Tells clients of these STUN and TURN servers. None is needed where clients reach the server's UDP port.
    pub fn ice_servers(mut self, servers: impl IntoIterator<Item = IceServer>) -> Self {
        self.ice_servers = servers.into_iter().collect();
        self
    }

    /// Takes offers only with this token.
    pub fn bearer_token(mut self, token: BearerToken) -> Self {
        self.bearer_token = Some(token);
        self
    }

    /// Believes these networks' hosts, and no others, whom they forward requests for (`X-Forwarded-For`,
    /// `Forwarded`). What counts by client address counts by that one.
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.trusted_proxies = networks.into_iter().collect();
        self
    }

    /// Asks about each offer before its body is read. Turns it down with the refusal, or lets it in with what the
    /// session's handler finds again in [`OfferContext::extensions`](crate::OfferContext::extensions).
    pub fn on_offer<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(OfferRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Extensions, Refusal>> + Send + 'static,
    {
        self.on_offer = Some(Arc::new(move |request| Box::pin(hook(request))));
        self
    }

    /// Who may read `GET /metrics`. By default, programs of the same host.
    pub fn metrics(mut self, access: MetricsAccess) -> Self {
        self.metrics_access = access;
        self
    }

    /// Serves every other path by this router, in place of a problem. The rules for other origins hold for it, too.
    pub fn fallback(mut self, router: Router) -> Self {
        self.fallback = Some(router);
        self
    }

    /// The router: `POST /offer`, `PATCH` and `DELETE /sessions/{id}`, `GET /sessions/{id}/events`, `GET /healthz`,
    /// `GET /readyz`, `GET /metrics`.
    ///
    /// It can be nested under any path; `Location` then names the full path. Every refusal has a
    /// [`Problem`](crate::Problem) as its body, also that of an unknown path, so to merge it into a router with a
    /// fallback of its own, call [`Router::reset_fallback`] first. What counts by client address needs
    /// [`Router::into_make_service_with_connect_info`].
    pub fn router(self) -> Router {
        let limits = self.server.limits();
        let own = self.public_url.as_ref().map(PublicUrl::origin);
        let shared = Shared {
            origins: Origins::new(self.allowed_origins, own),
            public_url: self.public_url,
            ice_servers: self.ice_servers,
            bearer_token: self.bearer_token,
            trusted_proxies: self.trusted_proxies,
            on_offer: self.on_offer,
            metrics_access: self.metrics_access,
            offer_rate: Rate::new(limits.offers_per_second, limits.offer_burst),
            patch_rate: Rate::new(limits.patches_per_second, limits.patch_burst),
            server: self.server,
        };
        super::router(Arc::new(shared), self.fallback)
    }
}

impl fmt::Debug for Signalling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signalling").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What the handlers share.
pub(super) struct Shared {
    pub(super) server: RtcServer,
    pub(super) origins: Origins,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) ice_servers: Vec<IceServer>,
    pub(super) bearer_token: Option<BearerToken>,
    pub(super) trusted_proxies: Vec<IpNet>,
    pub(super) on_offer: Option<OnOffer>,
    pub(super) metrics_access: MetricsAccess,
    pub(super) offer_rate: Rate,
    pub(super) patch_rate: Rate,
}
