//! What flows through an SCTP association (RFC 9260), read off its packets on their way: rtc-sctp does not tell. What it
//! would hold or do without bound, it does not get to see.

mod arrivals;
mod chunks;
mod near;
mod room;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::{Bytes, BytesMut};

pub(super) use self::near::FAR;
use self::{
    arrivals::{Arrival, Arrivals},
    chunks::{Chunk, Chunks, ENDING, Reconfiguration, WINDOW},
    near::Near,
    room::Room,
};
use super::packet::seal;

/// What a chunk costs beside its bytes.
const CHUNK_COST: usize = 256;

/// How many requests to reset streams may wait for their final answer. Those beyond are dropped, and come again. Proper
/// peers send one after the other (RFC 6525, 5.1.1), or one for each channel.
const MAX_REQUESTS: usize = 64;

/// How many requests of this side's may be without their final answer, which rtc-sctp keeps and repeats for ever. A proper
/// peer answers within a round trip, so many more are never under way.
const MAX_UNANSWERED: usize = 1024;

/// How many streams may be there on which no channel is: DATA may overtake what opens its channel, and a channel that is
/// refused stays until the peer resets its stream as well. rtc-sctp takes any number, and lets none go by itself.
const MAX_STRAY_STREAMS: usize = 1024;

/// After how many chunks the streams are counted.
const COUNT_INTERVAL: usize = 256;

/// How many packets are acknowledged together (RFC 9260, 6.2). There are peers that send no more than four for each
/// acknowledgement, however many it is for: once for all that a pass reads would hold them to four in a round trip. A
/// near peer they cost more time than they save.
const PACKETS_TOGETHER: usize = 2;

/// With more gaps than this an acknowledgement is long, and costs to make: one is enough for all that a pass reads.
const MAX_GAPS: u16 = 16;

/// The bit that makes another number of a request's: one that is far from all that are under way.
const NOBODYS: u8 = 0x80;

pub(super) struct Meter {
    /// The receive window when nothing waits to be read.
    window: usize,
    /// How many chunks may wait to be read, and how far one may be ahead of what is acknowledged. The window counts
    /// nothing but bytes, of which a chunk may carry a single one, and rtc-sctp goes through all chunks of a message for
    /// each: so they are bounded to those that cost as much beside their bytes as the window has. That is several
    /// of the largest messages in fragments far smaller than those of any peer, which fill a packet. Those
    /// beyond are dropped as on a lossy network, and come again; a peer that keeps to the window it is shown sends few.
    max_chunks: usize,
    /// How many bytes wait in SCTP: exact with every report, and counted in between.
    queued: usize,
    /// In how many chunks at most.
    chunks: usize,
    arrivals: Arrivals,
    /// The peer's requests to reset streams without a final answer, and whether the peer knows that they wait.
    requests: BTreeMap<u32, bool>,
    /// This side's requests without a final answer.
    unanswered: BTreeSet<u32>,
    /// How many chunks have come since the streams were counted.
    uncounted: usize,
    stray_streams: usize,
    /// How many packets with DATA have come since the last report.
    unreported: usize,
    near: Near,
    room: Room,
    report: Report,
    /// The highest TSN sent.
    sent: Option<u32>,
    retransmissions: u64,
}

/// What the last selective acknowledgement told the peer.
#[derive(Default)]
struct Report {
    is_full: bool,
    /// How many gaps it names.
    gaps: u16,
    /// Whether something was read since.
    is_outdated: bool,
}

impl Meter {
    pub(super) fn new(window: usize) -> Self {
        let max_chunks = window / CHUNK_COST;
        Self {
            window,
            max_chunks,
            queued: 0,
            chunks: 0,
            arrivals: Arrivals::new(max_chunks),
            requests: BTreeMap::new(),
            unanswered: BTreeSet::new(),
            uncounted: 0,
            stray_streams: 0,
            unreported: 0,
            near: Near::default(),
            room: Room::new(window, max_chunks / 2),
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
        let mut changes = Vec::new();
        let mut window = None;
        let mut has_data = false;
        for chunk in Chunks::of(packet) {
            if let Some(data) = chunk.data() {
                has_data = true;
                match self.arrivals.judge(data.tsn) {
                    Arrival::TooFar => return false,
                    Arrival::New if self.chunks >= self.max_chunks => return false,
                    // What fills a gap may be what makes the rest readable; and the gaps are bounded.
                    Arrival::New | Arrival::Missing => {
                        self.arrivals.note(data.tsn);
                        self.queued += data.length;
                        self.near.received(data.length);
                        self.room.received(data.length);
                        self.chunks += 1;
                        self.uncounted += 1;
                    }
                    // As a probe of a closed window, which comes over and over.
                    Arrival::Duplicate => {}
                }
                if data.is_ending && is_reset(data.stream) {
                    changes.push((chunk.offset + 1, ENDING));
                }
            } else if let Some(report) = chunk.report() {
                let flight = self.near.flight(report.window);
                window = flight.map(|flight| (chunk.offset + WINDOW, flight)).or(window);
            } else if let Some(tsn) = chunk.initial_tsn() {
                self.arrivals.begin(tsn);
            } else if chunk.forward_tsn().is_some_and(|tsn| !self.arrivals.can_forward(tsn)) {
                return false;
            }
            for reconfiguration in chunk.reconfigurations() {
                match reconfiguration {
                    Reconfiguration::Request(number) => {
                        if self.requests.len() >= MAX_REQUESTS && !self.requests.contains_key(&number) {
                            return false;
                        }
                        self.requests.insert(number, false);
                    }
                    // rtc-sctp takes any answer for the last one. This one says that the request is to be repeated
                    // (RFC 6525, 5.2.7), which its timer does for as long as none comes.
                    Reconfiguration::Response { offset, is_final: false, .. } => {
                        changes.push((offset, NOBODYS));
                    }
                    Reconfiguration::Response { number, .. } => {
                        self.unanswered.remove(&number);
                    }
                }
            }
        }
        self.unreported += usize::from(has_data);
        if window.is_some() || !changes.is_empty() {
            if let Some((offset, flight)) = window {
                packet[offset..offset + 4].copy_from_slice(&flight.to_be_bytes());
            }
            for (offset, bits) in changes {
                packet[offset] ^= bits;
            }
            seal(packet);
        }
        true
    }

    /// A packet is to leave. `false` if it says what the peer knows: with every chunk that comes, rtc-sctp answers each
    /// request that waits, in a packet of its own.
    pub(super) fn sends(&mut self, packet: &[u8]) -> bool {
        for chunk in Chunks::of(packet) {
            if let Some(data) = chunk.data() {
                // TSNs are numbers on a circle. https://www.rfc-editor.org/rfc/rfc9260#section-1.6
                match self.sent {
                    Some(sent) if data.tsn.wrapping_sub(sent).cast_signed() <= 0 => self.retransmissions += 1,
                    _ => self.sent = Some(data.tsn),
                }
            } else if let Some(report) = chunk.report() {
                self.queued = match self.window.saturating_sub(report.window) {
                    queued if report.window > 0 => queued,
                    queued => self.queued.max(queued),
                };
                self.bound_chunks();
                self.arrivals.acknowledge(report.acknowledged);
                self.report = Report { is_full: report.window == 0, gaps: report.gaps, is_outdated: false };
                self.unreported = 0;
            }
            for reconfiguration in chunk.reconfigurations() {
                match reconfiguration {
                    Reconfiguration::Request(number) => drop(self.unanswered.insert(number)),
                    Reconfiguration::Response { number, is_final: true, .. } => {
                        self.requests.remove(&number);
                    }
                    Reconfiguration::Response { number, .. } => {
                        let is_known = self.requests.get_mut(&number);
                        if is_known.is_some_and(|is_known| std::mem::replace(is_known, true)) {
                            return false;
                        }
                    }
                }
            }
        }
        true
    }

    /// A packet that is to leave, as the peer is to see it: an acknowledgement tells it of no larger window than it should fill.
    pub(super) fn shown(&mut self, packet: Bytes) -> Bytes {
        let report = |chunk: Chunk<'_>| Some((chunk.offset + WINDOW, chunk.report()?.window));
        let Some((offset, window)) = Chunks::of(&packet).find_map(report) else { return packet };
        let shown = self.room.tell(window, self.chunks).min(self.near.most());
        if shown == window {
            return packet;
        }
        let mut packet = BytesMut::from(packet);
        packet[offset..offset + 4].copy_from_slice(&u32::try_from(shown).unwrap_or(u32::MAX).to_be_bytes());
        seal(&mut packet);
        packet.freeze()
    }

    /// Whether the peer is to hear that there is room again.
    pub(super) fn has_opened(&self) -> bool {
        self.room.has_opened(self.queued, self.chunks)
    }

    /// The association has come up, with round trips of so long, if that is known.
    pub(super) fn came_up(&mut self, round_trip: Option<Duration>) {
        self.near.set_far(round_trip.is_none_or(|round_trip| round_trip >= FAR));
    }

    /// The peer is to be found on another path, of which nothing is known.
    pub(super) fn moved(&mut self) {
        self.near.set_far(true);
    }

    /// Whether what has come is to be acknowledged before more is taken in: at once while something is missing, so that
    /// the peer learns soon of what to send again.
    pub(super) fn is_report_due(&self) -> bool {
        match self.report.gaps {
            0 => self.near.is_far() && self.unreported >= PACKETS_TOGETHER,
            1..=MAX_GAPS => self.unreported > 0,
            _ => false,
        }
    }

    /// A message was read.
    pub(super) fn read(&mut self, bytes: usize, chunks: usize) {
        self.queued = self.queued.saturating_sub(bytes);
        self.chunks = self.chunks.saturating_sub(chunks);
        self.bound_chunks();
        self.report.is_outdated = true;
    }

    /// Whether so much has come that the streams are to be counted.
    pub(super) fn is_count_due(&self) -> bool {
        self.uncounted >= COUNT_INTERVAL
    }

    /// So many streams are there, and so many channels.
    pub(super) fn count_streams(&mut self, streams: usize, channels: usize) {
        self.uncounted = 0;
        self.stray_streams = streams.saturating_sub(channels);
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
        self.report.is_full && self.report.gaps == 0 && !self.report.is_outdated
    }

    /// Whether far more has come than a peer sends that respects the window, or on far more streams than have channels; or
    /// the peer leaves far more unanswered than is ever under way.
    pub(super) fn is_overrun(&self) -> bool {
        self.queued > 2 * self.window
            || self.stray_streams > MAX_STRAY_STREAMS
            || self.unanswered.len() > MAX_UNANSWERED
    }

    /// Each chunk carries a byte at least: what was counted and not kept is forgotten.
    fn bound_chunks(&mut self) {
        self.chunks = self.chunks.min(self.queued);
    }
}
