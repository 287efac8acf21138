//! WebRTC data channels for axum programs: answers offers over HTTP, serves every peer on one UDP port.

mod addresses;
mod answer;
mod channel;
pub mod echo;
mod engine;
mod greeting;
mod server;
mod session;

pub use channel::{Channel, ChannelParameters, Message, SendError};
pub use server::{AnswerError, Answered, Builder, OfferContext, RtcServer};
pub use session::{Closed, Session, Spawner};
