//! What flows through an SCTP association (RFC 9260), read off its packets on their way: rtc-sctp does not tell.

use bytes::BytesMut;

const COMMON_HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;
const DATA_HEADER: usize = 16;
const CHECKSUM: std::ops::Range<usize> = 8..12;

const DATA: u8 = 0;
const SACK: u8 = 3;

/// The flag of a DATA chunk that ends its message.
const ENDING: u8 = 0x01;

/// How many chunks may wait to be read. Each costs far more than the byte it may carry, which is all that the receive
/// window counts; those beyond are dropped as on a lossy network, and come again.
const MAX_CHUNKS: usize = 16 * 1024;

/// What a chunk costs beside its bytes.
const CHUNK_COST: usize = 256;

pub(super) struct Meter {
    /// The receive window when nothing waits to be read.
    window: usize,
    /// How many bytes wait in SCTP: exact with every report, and counted in between.
    queued: usize,
    /// In how many chunks at most.
    chunks: usize,
    /// The chunk that came last.
    last: Option<u32>,
    report: Report,
    /// The highest TSN sent.
    sent: Option<u32>,
    retransmissions: u64,
}

/// What the last selective acknowledgement told the peer.
#[derive(Default)]
struct Report {
    is_full: bool,
    /// Whether it names chunks that are missing.
    has_gaps: bool,
    /// Whether something was read since.
    is_outdated: bool,
}

impl Meter {
    pub(super) fn new(window: usize) -> Self {
        Self {
            window,
            queued: 0,
            chunks: 0,
            last: None,
            report: Report::default(),
            sent: None,
            retransmissions: 0,
        }
    }

    /// A packet has come. `false` if SCTP is not to see it.
    ///
    /// The messages of streams that this side has reset are nobody's. They are let in without their ends: SCTP
    /// acknowledges them, and forgets what is no whole message when the peer resets its side. A whole one would keep it
    /// from that for ever, because a stream that is closed is not read.
    pub(super) fn received(&mut self, packet: &mut BytesMut, is_reset: impl Fn(u16) -> bool) -> bool {
        let mut cut = Vec::new();
        for chunk in Chunks::of(packet) {
            let Some((tsn, stream)) = chunk.data() else { continue };
            if self.chunks >= MAX_CHUNKS {
                return false;
            }
            // A probe of a closed window comes over and over.
            if self.last.replace(tsn) != Some(tsn) {
                self.queued += chunk.bytes.len() - DATA_HEADER;
                self.chunks += 1;
            }
            if chunk.bytes[1] & ENDING != 0 && is_reset(stream) {
                cut.push(chunk.offset + 1);
            }
        }
        if !cut.is_empty() {
            for flags in cut {
                packet[flags] &= !ENDING;
            }
            packet[CHECKSUM].fill(0);
            let checksum = crc32c::crc32c(packet);
            packet[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        }
        true
    }

    /// A packet leaves.
    pub(super) fn sends(&mut self, packet: &[u8]) {
        for chunk in Chunks::of(packet) {
            if let Some((tsn, _)) = chunk.data() {
                // TSNs are numbers on a circle. https://www.rfc-editor.org/rfc/rfc9260#section-1.6
                match self.sent {
                    Some(sent) if tsn.wrapping_sub(sent).cast_signed() <= 0 => self.retransmissions += 1,
                    _ => self.sent = Some(tsn),
                }
            } else if let Some((window, gaps)) = chunk.report() {
                self.queued = match self.window.saturating_sub(window) {
                    queued if window > 0 => queued,
                    queued => self.queued.max(queued),
                };
                if self.queued == 0 {
                    self.chunks = 0;
                }
                self.report = Report { is_full: window == 0, has_gaps: gaps > 0, is_outdated: false };
            }
        }
    }

    /// A message was read.
    pub(super) fn read(&mut self, bytes: usize, chunks: usize) {
        self.queued = self.queued.saturating_sub(bytes);
        self.chunks = self.chunks.saturating_sub(chunks);
        self.report.is_outdated = true;
    }

    /// What waits in SCTP, in bytes.
    pub(super) fn queued(&self) -> usize {
        self.queued + self.chunks * CHUNK_COST
    }

    /// How many DATA chunks left more than once.
    pub(super) fn retransmissions(&self) -> u64 {
        self.retransmissions
    }

    /// Whether the receive window is full although no chunk is missing. If nothing can be read then, what fills it will
    /// never make up a message that is within the maximum.
    pub(super) fn is_stuck(&self) -> bool {
        self.report.is_full && !self.report.has_gaps && !self.report.is_outdated
    }

    /// Whether far more has come than a peer sends that respects the window.
    pub(super) fn is_overrun(&self) -> bool {
        self.queued > 2 * self.window
    }
}

/// The chunks of a packet, as far as they are whole.
struct Chunks<'a> {
    packet: &'a [u8],
    offset: usize,
}

struct Chunk<'a> {
    offset: usize,
    bytes: &'a [u8],
}

impl<'a> Chunks<'a> {
    fn of(packet: &'a [u8]) -> Self {
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
        self.offset += length.next_multiple_of(4);
        Some(Chunk { offset, bytes })
    }
}

impl Chunk<'_> {
    /// TSN and stream, if it is a DATA chunk.
    fn data(&self) -> Option<(u32, u16)> {
        if self.bytes[0] != DATA || self.bytes.len() < DATA_HEADER {
            return None;
        }
        let stream = self.bytes.get(8..10)?;
        Some((self.number(4)?, u16::from_be_bytes([stream[0], stream[1]])))
    }

    /// The advertised window and how many gaps it names, if it is a selective acknowledgement.
    fn report(&self) -> Option<(usize, usize)> {
        if self.bytes[0] != SACK {
            return None;
        }
        let gaps = self.bytes.get(12..14)?;
        let window = usize::try_from(self.number(8)?).ok()?;
        Some((window, usize::from(u16::from_be_bytes([gaps[0], gaps[1]]))))
    }

    fn number(&self, at: usize) -> Option<u32> {
        self.bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
    }
}
