//! Why a channel ends.

use std::fmt;

/// What a side did against the framing. The one that notices says so in an END frame, and closes the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Fault {
    /// The first frame was not the one that begins: the far side does not speak the framing.
    NotFramed = 1,
    /// The far side speaks another version, or announces limits that cannot be worked with.
    Version = 2,
    /// A frame was shorter or longer than its type asks for.
    Malformed = 3,
    /// A frame of no known type, or one that has no place there.
    UnexpectedFrame = 4,
    /// A payload, a message, a name, a type or a reason was longer than allowed.
    Oversize = 5,
    /// A frame came out of sequence.
    Sequence = 6,
    /// Frames were acknowledged that had not been sent.
    Acknowledgement = 7,
    /// More was sent than granted, or a grant was taken back.
    Credit = 8,
    /// A frame belonged to no transfer that is under way.
    Transfer = 9,
    /// More transfers were started than allowed.
    TooManyTransfers = 10,
    /// Text was not UTF-8.
    NotUtf8 = 11,
    /// The fragments of a message did not fit together.
    Fragment = 12,
    /// A message of the data channel was text; frames are binary.
    NotBinary = 13,
    /// Too much is sent and nothing acknowledged.
    Unacknowledged = 14,
    /// The resume id of a new channel was in use.
    Taken = 15,
    /// The side holds as many resumable channels as it may.
    Refused = 16,
}

impl Fault {
    /// Every fault, by its code from 1 on.
    pub const ALL: [Self; 16] = [
        Self::NotFramed,
        Self::Version,
        Self::Malformed,
        Self::UnexpectedFrame,
        Self::Oversize,
        Self::Sequence,
        Self::Acknowledgement,
        Self::Credit,
        Self::Transfer,
        Self::TooManyTransfers,
        Self::NotUtf8,
        Self::Fragment,
        Self::NotBinary,
        Self::Unacknowledged,
        Self::Taken,
        Self::Refused,
    ];

    /// The code in the END frame.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The stable name, for programs: the reason in the END frame.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFramed => "not-framed",
            Self::Version => "version",
            Self::Malformed => "malformed",
            Self::UnexpectedFrame => "unexpected-frame",
            Self::Oversize => "oversize",
            Self::Sequence => "sequence",
            Self::Acknowledgement => "acknowledgement",
            Self::Credit => "credit",
            Self::Transfer => "transfer",
            Self::TooManyTransfers => "too-many-transfers",
            Self::NotUtf8 => "not-utf-8",
            Self::Fragment => "fragment",
            Self::NotBinary => "not-binary",
            Self::Unacknowledged => "unacknowledged",
            Self::Taken => "taken",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for Fault {}

/// How a channel came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// This side closed it, and the far side has everything.
    Closed,
    /// The far side closed it, or found a fault.
    ByRemote {
        /// 0 if it simply closed the channel, else the code of its [`Fault`].
        code: u8,
        /// Its words.
        reason: String,
    },
    /// The far side did something against the framing.
    Fault(Fault),
    /// The connection is gone, and will not be resumed.
    Lost,
}
