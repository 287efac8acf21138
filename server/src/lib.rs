//! WebRTC data channels for axum programs: answers offers over HTTP, serves every peer on one UDP port.

mod http;
mod server;

pub use http::{InvalidOrigin, MAX_OFFER_BYTES, OFFER_TIMEOUT, Origin, Refusal, cors};
pub use server::{AnswerError, Answered, Builder, OfferContext, RtcServer};
