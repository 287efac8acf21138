//! The offerer's half of hola-webrtc: WebRTC data channels for web pages, negotiated with one `POST`.
//!
//! ```no_run
//! use futures_util::{SinkExt, StreamExt};
//! use hola_webrtc_client::{ConnectOptions, Message, connect};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let connection = connect("https://localhost:8443", ConnectOptions::default()).await?;
//! let mut channel = connection.channel();
//! channel.send(Message::from("hello")).await?;
//! while let Some(message) = channel.next().await {
//!     // What the server says.
//! #   drop(message);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`connect`] takes the eight [steps](Step) of a negotiation, which stand one by one in `negotiation.rs`.
//! Each of them, and everything that happens later, is told by a [`Trace`]. A connection lives as long as a
//! [`Connection`] or [`Channel`] of it; dropping the last closes it, and dropping [`Connecting`] midway
//! leaves nothing behind.
//!
//! With the feature `session` (on by default) there are channels that speak the framing, `FramedChannel`, and sessions that
//! stay over one connection after the other, `Session`.
//!
//! With the feature `js` (on by default) the crate is a JavaScript module as well. A Rust program leaves it
//! out, as exported functions survive dead-code elimination.

mod changes;
mod channel;
mod channel_core;
mod clock;
mod connect;
mod connection;
mod dictionaries;
mod error;
mod fetch;
#[cfg(feature = "session")]
mod framed;
mod http;
#[cfg(feature = "js")]
pub mod js;
mod layers;
mod listener;
mod message;
mod negotiation;
mod object;
mod observe;
mod observer;
mod offer;
mod options;
mod peer;
mod restart;
#[cfg(feature = "session")]
mod session;
mod signaller;
mod stats;
mod steps;
mod sys;
mod trace;

pub use channel::{Channel, ChannelState, HIGH_WATER};
pub use connect::{Connecting, connect, connect_with};
pub use connection::{Closed, Connection, ConnectionState};
pub use dictionaries::{ChannelOptions, IceServer};
pub use error::{ErrorKind, RtcError};
#[cfg(feature = "session")]
pub use framed::{FramedChannel, LargeReceiver, LargeSender, TransferError};
pub use hola_webrtc_protocol::{
    Candidate, CandidateType, Phase, Problem, ProblemCode, SdpType, SessionDescription, SessionId, Side,
    StateMachine, Step, TraceData, TraceEvent,
};
#[cfg(feature = "session")]
pub use hola_webrtc_protocol::{
    framing::{Ended, Fault, Info as TransferInfo, Mode, Undelivered},
    reconnect::Backoff,
};
pub use message::{Message, SendError};
pub use options::{ConnectOptions, Gate, Gathering};
#[cfg(feature = "session")]
pub use session::{Session, SessionChannel, SessionState};
pub use signaller::{EndSession, Reply, RestartIce, Signaller};
pub use stats::{CandidatePair, ConnectionStats};
pub use trace::Trace;
