//! What a side is, what bounds it, and how far it has come.

use super::Ended;

/// Which side of the channel it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The one that opened it.
    Opener,
    /// The other one.
    Acceptor,
}

/// What bounds a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes of messages, and of each transfer, may have come and be unread ([`MIN_WINDOW`](super::MIN_WINDOW) at least).
    pub window: u32,
    /// The largest message that is taken, in bytes.
    pub max_message: u32,
    /// How many transfers may come at the same time.
    pub max_transfers: u16,
    /// How many bytes may have been sent and not be acknowledged, on a resumable channel.
    pub resend: usize,
}

impl Limits {
    /// Those of a page, which has room, and a long way to its server.
    pub const BROWSER: Self =
        Self { window: 1 << 20, max_message: 16 << 20, max_transfers: 16, resend: 1 << 20 };
}

/// How far a channel has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has no connection.
    Detached,
    /// The far side has not said yet that it speaks the framing.
    Opening,
    /// Both sides speak.
    Open,
    /// It is over. What came before may still be read.
    Ended(Ended),
}
