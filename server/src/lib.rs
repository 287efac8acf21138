//! WebRTC data channels for axum programs: answers offers over HTTP, serves every peer on one UDP port.

mod server;

pub use server::{AnswerError, Answered, Builder, OfferContext, RtcServer};
