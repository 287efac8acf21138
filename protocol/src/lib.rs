//! What a hola-webrtc client and server say to each other.
//!
//! Wire types and paths ([`signal`], [`SessionDescription`], [`SdpFragment`], [`Problem`]), the eight steps of a negotiation
//! ([`Step`]), the events that report them ([`TraceEvent`]), what a channel may speak ([`framing`]), and when a client that
//! stays asks again ([`reconnect`]). There is no I/O here: the crate compiles for native targets and for WebAssembly alike.

mod candidate;
mod description;
pub mod framing;
pub mod link;
mod problem;
pub mod reconnect;
pub mod sdp;
mod sdpfrag;
pub mod server_timing;
mod session;
pub mod signal;
mod step;
mod trace;

pub use candidate::{Candidate, CandidateError, CandidateType};
pub use description::{SdpType, SessionDescription};
pub use problem::{Problem, ProblemCode};
pub use sdpfrag::{SdpFragment, SdpFragmentError};
pub use session::{SessionId, SessionIdError};
pub use step::{Side, Step, UnknownStep};
pub use trace::{Phase, StateMachine, TraceData, TraceEvent};

/// The label of the channel on which the server also speaks first: a greeting, and a word now and then.
/// On every other label the server only echoes.
pub const CHAT_LABEL: &str = "chat";
