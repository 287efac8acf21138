//! How a channel begins, and how frames are taken apart.

use std::fmt;

use super::Fault;

/// What each side tells the other at the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version of the framing.
    pub version: u8,
    /// How much of messages may be on the way and unread, and as much of each transfer, in bytes.
    pub window: u32,
    /// The largest message that is taken, in bytes.
    pub max_message: u32,
    /// How many transfers may be under way to this side.
    pub max_transfers: u16,
    /// On a resumable channel.
    pub resume: Option<Resume>,
}

/// Where a resumable channel goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The name of the channel.
    pub id: ResumeId,
    /// Whether the channel goes on, and is not a new one.
    pub resumes: bool,
    /// How many frames have arrived.
    pub received: u32,
}

/// The name under which a channel is resumed: 128 bits from a cryptographic source. Whoever knows it may take the
/// channel over, so it shows in no log, and comparing two of them takes the same time wherever they differ.
#[derive(Clone, Copy)]
pub struct ResumeId(pub [u8; 16]);

impl PartialEq for ResumeId {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |difference, (one, other)| difference | (one ^ other)) == 0
    }
}

impl Eq for ResumeId {}

impl fmt::Debug for ResumeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResumeId")
    }
}

impl Hello {
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.version);
        bytes.extend_from_slice(&self.window.to_be_bytes());
        bytes.extend_from_slice(&self.max_message.to_be_bytes());
        bytes.extend_from_slice(&self.max_transfers.to_be_bytes());
        if let Some(Resume { id, resumes, received }) = &self.resume {
            bytes.extend_from_slice(&id.0);
            bytes.push(u8::from(*resumes));
            bytes.extend_from_slice(&received.to_be_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>, is_resumable: bool) -> Result<Self, Fault> {
        let version = reader.byte()?;
        let (window, max_message, max_transfers) = (reader.u32()?, reader.u32()?, reader.u16()?);
        let resume = if is_resumable {
            let id = ResumeId(reader.array()?);
            Some(Resume { id, resumes: reader.byte()? != 0, received: reader.u32()? })
        } else {
            None
        };
        Ok(Self { version, window, max_message, max_transfers, resume })
    }
}

/// Takes a frame apart.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Fault::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Fault::Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn rest(&mut self, max: usize) -> Result<&'a [u8], Fault> {
        if self.0.len() > max { Err(Fault::Oversize) } else { self.take(self.0.len()) }
    }

    pub(super) fn text(&mut self, max: usize) -> Result<&'a str, Fault> {
        str::from_utf8(self.rest(max)?).map_err(|_| Fault::NotUtf8)
    }
}
