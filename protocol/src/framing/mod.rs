//! The framing: messages of any size, large transfers, and channels that survive their connection, over one data channel.
//!
//! `docs/framing.md` describes it for whoever implements it anew. [`Mode`] says whether a channel speaks it, [`Frame`]
//! is what one message of the data channel holds, and [`Framing`] is one side of a channel: a state machine without
//! sockets, clocks and tasks. Its host hands it what arrives ([`Framing::handle`]), takes from it what is to be
//! sent ([`Framing::transmit`]), and tells it the time.

mod credit;
mod fault;
mod frame;
mod hello;
mod incoming;
mod ledger;
mod machine;
mod messages;
mod mode;
mod outgoing;
mod reception;
mod state;
mod user;

pub use fault::{Ended, Fault};
pub use frame::{Frame, Header};
pub use hello::{Hello, Resume, ResumeId};
pub use incoming::{Info, Read};
pub use machine::Framing;
pub use messages::{Received, Undelivered};
pub use mode::Mode;
pub use outgoing::Transfer;
pub use state::{Limits, Role, State};
pub use user::Unsendable;

/// The version that is spoken here.
pub const VERSION: u8 = 1;

/// The payload of one frame, in bytes, at most: more would hold up other channels, which SCTP does not interleave with
/// it (RFC 8831, 6.6).
pub const MAX_PAYLOAD: usize = 16 * 1024;

/// The smallest window that a side may announce, in bytes: four frames, so that granting credit by quarters never stalls.
pub const MIN_WINDOW: u32 = 80 * 1024;

/// What a frame costs beside its length, so that empty messages are not free.
pub const FRAME_COST: usize = 64;

/// The name of a transfer, in bytes of UTF-8, at most.
pub const MAX_NAME: usize = 1024;

/// The media type of a transfer, in bytes, at most.
pub const MAX_TYPE: usize = 255;

/// A reason, in bytes of UTF-8, at most. Longer ones are cut.
pub const MAX_REASON: usize = 255;

/// What protects transfers against faults of those who take them apart and put them together: the CRC-32 of zlib, which
/// every language has at hand. Against strangers there is DTLS.
static CHECKSUM: crc::Crc<u32, crc::Table<1>> = crc::Crc::<u32, crc::Table<1>>::new(&crc::CRC_32_ISO_HDLC);
