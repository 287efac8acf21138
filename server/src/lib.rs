//! WebRTC data channels for axum programs: answers offers over HTTP, serves every peer on one UDP port.

mod announce;
mod answer;
mod builder;
mod channel;
pub mod echo;
mod engine;
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
    Channel, ChannelIo, ChannelParameters, ChannelReceiver, ChannelSender, Message, SendError,
};
pub use hola_webrtc_protocol::{Problem, ProblemCode, SessionId};
pub use http::{
    BearerToken, IceServer, InvalidBearerToken, InvalidIceServer, InvalidOrigin, InvalidPublicUrl,
    MetricsAccess, OfferRequest, Origin, PublicUrl, Refusal, Signalling,
};
pub use ipnet::IpNet;
pub use limits::Limits;
pub use metrics::{Limit, Metrics};
pub use offer::{AnswerError, Answered, OfferContext, PatchError, Restarted, ServerEvent};
pub use server::RtcServer;
pub use session::{ChannelClosed, ChannelOptions, Closed, OpenError, Session, SessionStats, Spawner};

/// Compiles the README's examples.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
