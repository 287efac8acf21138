//! What one message of the data channel holds.

use super::{Fault, Hello, MAX_NAME, MAX_PAYLOAD, MAX_REASON, MAX_TYPE, hello::Reader};

const OPEN: u8 = 0x01;
const ACCEPT: u8 = 0x02;
const END: u8 = 0x03;
const ACK: u8 = 0x04;
/// From here on, the frames of a resumable channel are numbered.
pub(super) const MESSAGE: u8 = 0x10;
pub(super) const TEXT: u8 = 1;
pub(super) const MORE: u8 = 2;
const CREDIT: u8 = 0x14;
const START: u8 = 0x15;
const CHUNK: u8 = 0x16;
const FINISH: u8 = 0x17;
const RESET: u8 = 0x18;
const STOP: u8 = 0x19;
const DONE: u8 = 0x1a;

/// The unknown length of a transfer.
const UNKNOWN: u64 = u64::MAX;

/// A frame. Numbers travel in network byte order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// The opener of the channel begins.
    Open(Hello),
    /// The other side agrees.
    Accept(Hello),
    /// The channel ends; nothing follows.
    End {
        /// 0, or the code of a [`Fault`].
        code: u8,
        /// For people.
        reason: &'a str,
    },
    /// So many frames have arrived.
    Ack {
        /// The number of the next one.
        received: u32,
    },
    /// A message, or a part of one.
    Message {
        /// Whether the message is text.
        text: bool,
        /// Whether more of it follows.
        more: bool,
        /// The content.
        payload: &'a [u8],
    },
    /// More may be sent.
    Credit {
        /// The transfer; 0 stands for the messages.
        transfer: u32,
        /// What all frames of it may cost, from its beginning.
        limit: u64,
    },
    /// A transfer begins.
    Start {
        /// Its number: greater than those before.
        transfer: u32,
        /// Its length in bytes, if it is known.
        total: Option<u64>,
        /// Its name, or empty.
        name: &'a str,
        /// Its media type, or empty.
        kind: &'a str,
    },
    /// A piece of a transfer.
    Chunk {
        /// The transfer.
        transfer: u32,
        /// The content.
        payload: &'a [u8],
    },
    /// A transfer is complete.
    Finish {
        /// The transfer.
        transfer: u32,
        /// How many bytes it has.
        length: u64,
        /// Their CRC-32.
        checksum: u32,
    },
    /// The sender of a transfer gives it up.
    Reset {
        /// The transfer.
        transfer: u32,
        /// Why.
        reason: &'a str,
    },
    /// The receiver of a transfer wants no more of it.
    Stop {
        /// The transfer.
        transfer: u32,
        /// Why.
        reason: &'a str,
    },
    /// The receiver is through with a transfer.
    Done {
        /// The transfer.
        transfer: u32,
    },
}

/// What stands before the content of a numbered frame on a resumable channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The number of this frame.
    pub sequence: u32,
    /// How many frames have arrived.
    pub received: u32,
}

impl Header {
    /// Its length, the frame's type included.
    pub(super) const LENGTH: usize = 9;

    /// Writes it into a frame that has room for it.
    pub(super) fn stamp(self, frame: &mut [u8]) {
        frame[1..5].copy_from_slice(&self.sequence.to_be_bytes());
        frame[5..9].copy_from_slice(&self.received.to_be_bytes());
    }
}

impl<'a> Frame<'a> {
    /// The frame as it travels. On a resumable channel, a numbered frame gets this header.
    pub fn encode(&self, header: Option<Header>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Header::LENGTH + 16 + self.payload().len());
        bytes.push(self.kind());
        if let Some(header) = header.filter(|_| self.is_numbered()) {
            bytes.resize(Header::LENGTH, 0);
            header.stamp(&mut bytes);
        }
        match *self {
            Self::Open(ref hello) | Self::Accept(ref hello) => hello.write(&mut bytes),
            Self::End { code, reason } => {
                bytes.push(code);
                bytes.extend_from_slice(reason.as_bytes());
            }
            Self::Ack { received } => bytes.extend_from_slice(&received.to_be_bytes()),
            Self::Message { payload, .. } => bytes.extend_from_slice(payload),
            Self::Credit { transfer, limit } => {
                bytes.extend_from_slice(&transfer.to_be_bytes());
                bytes.extend_from_slice(&limit.to_be_bytes());
            }
            Self::Start { transfer, total, name, kind } => {
                bytes.extend_from_slice(&transfer.to_be_bytes());
                bytes.extend_from_slice(&total.unwrap_or(UNKNOWN).to_be_bytes());
                bytes.extend_from_slice(&u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes());
                bytes.extend_from_slice(name.as_bytes());
                bytes.extend_from_slice(kind.as_bytes());
            }
            Self::Chunk { transfer, payload } => {
                bytes.extend_from_slice(&transfer.to_be_bytes());
                bytes.extend_from_slice(payload);
            }
            Self::Finish { transfer, length, checksum } => {
                bytes.extend_from_slice(&transfer.to_be_bytes());
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(&checksum.to_be_bytes());
            }
            Self::Reset { transfer, reason } | Self::Stop { transfer, reason } => {
                bytes.extend_from_slice(&transfer.to_be_bytes());
                bytes.extend_from_slice(reason.as_bytes());
            }
            Self::Done { transfer } => bytes.extend_from_slice(&transfer.to_be_bytes()),
        }
        bytes
    }

    /// Reads a frame of a channel, and its header if it has one.
    pub fn decode(bytes: &'a [u8], is_resumable: bool) -> Result<(Option<Header>, Self), Fault> {
        let mut reader = Reader::new(bytes);
        let kind = reader.byte()?;
        let header = if is_resumable && kind >= MESSAGE {
            Some(Header { sequence: reader.u32()?, received: reader.u32()? })
        } else {
            None
        };
        let frame = match kind {
            OPEN => Self::Open(Hello::read(&mut reader, is_resumable)?),
            ACCEPT => Self::Accept(Hello::read(&mut reader, is_resumable)?),
            END => Self::End { code: reader.byte()?, reason: reader.text(MAX_REASON)? },
            ACK if is_resumable => Self::Ack { received: reader.u32()? },
            MESSAGE..CREDIT => Self::Message {
                text: kind & TEXT != 0,
                more: kind & MORE != 0,
                payload: reader.rest(MAX_PAYLOAD)?,
            },
            CREDIT => Self::Credit { transfer: reader.u32()?, limit: reader.u64()? },
            START => {
                let (transfer, total) = (reader.u32()?, reader.u64()?);
                let length = usize::from(reader.u16()?);
                let name = Reader::new(reader.take(length)?).text(MAX_NAME)?;
                let total = Some(total).filter(|total| *total != UNKNOWN);
                Self::Start { transfer, total, name, kind: reader.text(MAX_TYPE)? }
            }
            CHUNK => Self::Chunk { transfer: reader.u32()?, payload: reader.rest(MAX_PAYLOAD)? },
            FINISH => {
                Self::Finish { transfer: reader.u32()?, length: reader.u64()?, checksum: reader.u32()? }
            }
            RESET => Self::Reset { transfer: reader.u32()?, reason: reader.text(MAX_REASON)? },
            STOP => Self::Stop { transfer: reader.u32()?, reason: reader.text(MAX_REASON)? },
            DONE => Self::Done { transfer: reader.u32()? },
            _ => return Err(Fault::UnexpectedFrame),
        };
        // A later version may say more at the beginning.
        let is_whole = reader.is_empty() || matches!(frame, Self::Open(_) | Self::Accept(_));
        if is_whole { Ok((header, frame)) } else { Err(Fault::Malformed) }
    }

    /// Whether the frame is numbered on a resumable channel.
    pub fn is_numbered(&self) -> bool {
        self.kind() >= MESSAGE
    }

    fn payload(&self) -> &'a [u8] {
        match *self {
            Self::Message { payload, .. } | Self::Chunk { payload, .. } => payload,
            _ => &[],
        }
    }

    fn kind(&self) -> u8 {
        match *self {
            Self::Open(_) => OPEN,
            Self::Accept(_) => ACCEPT,
            Self::End { .. } => END,
            Self::Ack { .. } => ACK,
            Self::Message { text, more, .. } => MESSAGE + u8::from(text) * TEXT + u8::from(more) * MORE,
            Self::Credit { .. } => CREDIT,
            Self::Start { .. } => START,
            Self::Chunk { .. } => CHUNK,
            Self::Finish { .. } => FINISH,
            Self::Reset { .. } => RESET,
            Self::Stop { .. } => STOP,
            Self::Done { .. } => DONE,
        }
    }
}

/// As much of a reason as a frame takes.
pub(super) fn shorten(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(MAX_REASON)]
}
