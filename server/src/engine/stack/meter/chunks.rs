//! The chunks of an SCTP packet (RFC 9260, 3; RFC 3758, 3.2; RFC 6525, 3), as far as the meter looks into them.

const COMMON_HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;
const DATA_HEADER: usize = 16;
const SACK_HEADER: usize = 16;
const PARAMETER_HEADER: usize = 4;
const RESPONSE_PARAMETER: usize = 12;

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const HEARTBEAT: u8 = 4;
const SHUTDOWN_ACK: u8 = 8;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;
const RE_CONFIG: u8 = 130;
const FORWARD_TSN: u8 = 192;

const OUTGOING_RESET_REQUEST: u16 = 13;
const RECONFIGURATION_RESPONSE: u16 = 16;

/// The flag of a DATA chunk that ends its message.
pub(super) const ENDING: u8 = 0x01;

/// Where in a SACK chunk the window is.
pub(super) const WINDOW: usize = 8;

/// The result of a re-configuration response that is none yet (RFC 6525, 4.4).
const IN_PROGRESS: u32 = 6;

/// The chunks of a packet, as far as they are whole.
pub(super) struct Chunks<'a> {
    packet: &'a [u8],
    offset: usize,
}

pub(super) struct Chunk<'a> {
    pub(super) offset: usize,
    bytes: &'a [u8],
}

pub(super) struct Data {
    pub(super) tsn: u32,
    pub(super) stream: u16,
    pub(super) is_ending: bool,
    /// How many bytes of the message it carries.
    pub(super) length: usize,
}

pub(super) struct Report {
    pub(super) acknowledged: u32,
    pub(super) window: usize,
    /// How many.
    pub(super) gaps: u16,
}

/// A parameter of a RE-CONFIG chunk.
pub(super) enum Reconfiguration {
    /// To reset outgoing streams, with its number.
    Request(u32),
    Response {
        number: u32,
        /// Where the number is in the packet.
        offset: usize,
        is_final: bool,
    },
}

impl<'a> Chunks<'a> {
    pub(super) fn of(packet: &'a [u8]) -> Self {
        Self { packet, offset: COMMON_HEADER }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Chunk<'a>;

    fn next(&mut self) -> Option<Chunk<'a>> {
        let offset = self.offset;
        let header = self.packet.get(offset..offset + CHUNK_HEADER)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let bytes = self.packet.get(offset..offset + length).filter(|_| length >= CHUNK_HEADER)?;
        let chunk = Chunk { offset, bytes };
        self.offset += chunk.taken().next_multiple_of(4);
        Some(chunk)
    }
}

impl Chunk<'_> {
    pub(super) fn data(&self) -> Option<Data> {
        if self.bytes[0] != DATA || self.bytes.len() < DATA_HEADER {
            return None;
        }
        Some(Data {
            tsn: self.number(4)?,
            stream: self.short(8)?,
            is_ending: self.bytes[1] & ENDING != 0,
            length: self.bytes.len() - DATA_HEADER,
        })
    }

    /// The TSN that the peer begins with, if the chunk sets an association up.
    pub(super) fn initial_tsn(&self) -> Option<u32> {
        matches!(self.bytes[0], INIT | INIT_ACK).then(|| self.number(16))?
    }

    /// If it is a selective acknowledgement.
    pub(super) fn report(&self) -> Option<Report> {
        if self.bytes[0] != SACK {
            return None;
        }
        let window = usize::try_from(self.number(WINDOW)?).ok()?;
        Some(Report { acknowledged: self.number(4)?, window, gaps: self.short(12)? })
    }

    /// Up to where the peer gives up what is missing.
    pub(super) fn forward_tsn(&self) -> Option<u32> {
        (self.bytes[0] == FORWARD_TSN).then(|| self.number(4))?
    }

    /// What a RE-CONFIG chunk asks and answers: two parameters at most.
    pub(super) fn reconfigurations(&self) -> impl Iterator<Item = Reconfiguration> {
        let mut at = if self.bytes[0] == RE_CONFIG { CHUNK_HEADER } else { self.bytes.len() };
        let parameters = std::iter::from_fn(move || {
            let (kind, length) = (self.short(at)?, usize::from(self.short(at + 2)?));
            let number = self.number(at + PARAMETER_HEADER)?;
            let offset = self.offset + at + PARAMETER_HEADER;
            match kind {
                OUTGOING_RESET_REQUEST => {
                    at += length.next_multiple_of(4).max(PARAMETER_HEADER);
                    Some(Reconfiguration::Request(number))
                }
                RECONFIGURATION_RESPONSE => {
                    let is_final = self.number(at + 8)? != IN_PROGRESS;
                    // What may follow the result, rtc-sctp takes for the next parameter.
                    at += RESPONSE_PARAMETER;
                    Some(Reconfiguration::Response { number, offset, is_final })
                }
                _ => None,
            }
        });
        parameters.take(2)
    }

    /// How much of the packet rtc-sctp takes for the chunk: what it reads of it, not what the header says. The two
    /// differ for no proper chunk; with others, nothing is to get past the meter.
    fn taken(&self) -> usize {
        let read = match self.bytes[0] {
            COOKIE_ACK | SHUTDOWN_ACK | SHUTDOWN_COMPLETE => Some(CHUNK_HEADER),
            SACK => self
                .short(12)
                .zip(self.short(14))
                .map(|(gaps, duplicates)| SACK_HEADER + 4 * usize::from(gaps) + 4 * usize::from(duplicates)),
            HEARTBEAT => self.short(6).map(|information| CHUNK_HEADER + usize::from(information)),
            _ => None,
        };
        read.map_or(self.bytes.len(), |read| read.clamp(CHUNK_HEADER, self.bytes.len()))
    }

    fn short(&self, at: usize) -> Option<u16> {
        self.bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
    }

    fn number(&self, at: usize) -> Option<u32> {
        self.bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
    }
}
