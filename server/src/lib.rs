//! WebRTC data channels for axum programs: answers offers over HTTP, serves every peer on one UDP port.
//!
//! A [`RtcServer`] owns the port and the engine behind it. Its [`router`](RtcServer::router) takes the offers of
//! browsers; [`accept`](RtcServer::accept) gives a [`Session`] for each peer that has connected, and
//! [`accept_channel`](Session::accept_channel) a [`Channel`], which is a stream of messages and a sink for them:
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use futures_util::{SinkExt, StreamExt};
//! use hola_webrtc_server::{Message, RtcServer, Session};
//!
//! async fn shout(session: Session) {
//!     while let Some(mut channel) = session.accept_channel().await {
//!         while let Some(Message::Text(text)) = channel.next().await {
//!             let _ = channel.send(Message::Text(text.to_uppercase())).await;
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = RtcServer::builder().listen("127.0.0.1:0".parse()?).start()?;
//! let app = axum::Router::new().nest("/rtc", server.router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let url = format!("http://{}/rtc", listener.local_addr()?);
//! tokio::spawn(async move {
//!     axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
//! });
//! tokio::spawn(async move {
//!     while let Some(session) = server.accept().await {
//!         tokio::spawn(shout(session));
//!     }
//! });
//!
//! // What a browser's page would do:
//! let (_connection, channel) = hola_webrtc_offerer::connect(&url).await?;
//! channel.send("hello").await?;
//! assert_eq!(channel.receive().await, Some("HELLO".into()));
//! # Ok(())
//! # }
//! ```
//!
//! - Who may connect, and what clients are told: [`Signalling`].
//! - What bounds strangers: [`Limits`]. What is counted: [`Metrics`].
//! - The server's half of a session's trace: [`RtcServer::events`].
//! - How to stop without cutting anybody off: [`RtcServer::drain`].
//!
//! Dropping a session closes it, dropping a channel closes that, and dropping the last handle stops the server.

mod announce;
mod answer;
mod builder;
mod channel;
pub mod echo;
mod engine;
mod framing;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod greeting;
mod http;
mod limits;
mod metrics;
mod offer;
mod server;
mod session;

pub use announce::host_addresses;
pub use builder::Builder;
pub use channel::{
    Channel, ChannelIo, ChannelParameters, ChannelReceiver, ChannelSender, Message, SendError, Undelivered,
};
pub use framing::{IncomingLarge, Large, LargeError, OutgoingLarge};
pub use hola_webrtc_protocol::framing::Info as LargeInfo;
pub use hola_webrtc_protocol::{Problem, ProblemCode, SessionId};
pub use http::{
    BearerToken, IceServer, InvalidBearerToken, InvalidIceServer, InvalidOrigin, InvalidPublicUrl,
    MetricsAccess, OfferRequest, Origin, PublicUrl, Refusal, Signalling,
};
pub use ipnet::IpNet;
pub use limits::{Limits, client_network};
pub use metrics::{Limit, Metrics};
pub use offer::{AnswerError, Answered, EventsError, OfferContext, PatchError, Restarted, ServerEvent};
pub use server::RtcServer;
pub use session::{
    ChannelClosed, ChannelOptions, Closed, OpenError, Session, SessionParameters, SessionStats, Spawner,
};

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
