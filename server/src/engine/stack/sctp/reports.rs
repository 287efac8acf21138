//! The peer's acknowledgements, in pieces from which rtc-sctp learns more.
//!
//! It sends a chunk again once three acknowledgements have reported it missing, each for something newer; in fast recovery those
//! count that go on in sequence (RFC 9260, 7.2.4). Peers acknowledge several packets together, so that often no three come:
//! for one of the last packets of a window, or for the second that was lost in one. Such a chunk waits for the timer, which
//! then sets the window to one packet. TCP counts what has been acknowledged behind the gap instead (RFC 6675, 4). So does
//! this: an acknowledgement for several packets is preceded by two of its own making, for the first and the second of them.

use std::collections::VecDeque;

use bytes::{BufMut, BytesMut};

use super::{
    super::packet::{number, packet, short},
    FIRST_CHUNK,
};

const DATA: u8 = 0;
const SACK: u8 = 3;
const HEADER: usize = 16;
const BLOCK: usize = 4;

/// How many reports make a chunk be sent again.
const INDICATIONS: u32 = 3;

/// With more gaps than this an acknowledgement is long, and costs to read.
const MAX_GAPS: usize = 64;

#[derive(Default)]
pub(super) struct Reports {
    /// The first TSN of each packet that has left and is not acknowledged in sequence.
    packets: VecDeque<u32>,
    last: Option<Seen>,
}

/// What an acknowledgement has told.
#[derive(Clone, Copy)]
struct Seen {
    /// Up to where everything has come.
    acknowledged: u32,
    /// The last that has come.
    highest: u32,
}

/// A selective acknowledgement (RFC 9260, 3.3.4).
pub(super) struct Report {
    pub(super) tag: u32,
    pub(super) acknowledged: u32,
    pub(super) window: u32,
    /// What has come behind, counted from there: the first and the last of each block.
    pub(super) blocks: Vec<(u16, u16)>,
}

impl Reports {
    /// A packet leaves.
    pub(super) fn sends(&mut self, packet: &[u8]) {
        if let Some((_, tsn, _)) = data_of(packet)
            && self.packets.back().is_none_or(|last| is_after(tsn, *last))
        {
            self.packets.push_back(tsn);
        }
    }

    /// What rtc-sctp is to be told before this of the peer's. `None` if it has come too late to tell anything.
    pub(super) fn pieces(&mut self, report: &Report) -> Option<Vec<BytesMut>> {
        let seen = Seen { acknowledged: report.acknowledged, highest: report.highest() };
        let before = self.last.unwrap_or(Seen { highest: seen.acknowledged, ..seen });
        let has_come_late = if seen.acknowledged == before.acknowledged {
            is_after(before.highest, seen.highest)
        } else {
            is_after(before.acknowledged, seen.acknowledged)
        };
        if has_come_late {
            return None;
        }
        self.last = Some(seen);
        let advance = seen.acknowledged.wrapping_sub(before.acknowledged);
        let pieces: Vec<Option<Report>> = if report.blocks.is_empty() {
            Vec::new()
        } else if before.highest != before.acknowledged && advance > 1 {
            let in_sequence =
                (1..advance.min(INDICATIONS)).map(|step| before.acknowledged.wrapping_add(step));
            in_sequence.map(|tsn| report.in_sequence_up_to(tsn)).collect()
        } else {
            let known = self.packets.partition_point(|tsn| !is_after(*tsn, before.highest));
            let new = self.packets.range(known..).copied().take_while(|tsn| !is_after(*tsn, seen.highest));
            let new: Vec<u32> = new.filter(|tsn| report.has(*tsn)).take(INDICATIONS as usize).collect();
            let (_last, others) = new.split_last().unwrap_or((&0, &[]));
            others.iter().map(|tsn| Some(report.up_to(*tsn))).collect()
        };
        self.forget(seen.acknowledged);
        Some(pieces.iter().flatten().map(Report::write).collect())
    }

    /// Everything up to this has come.
    fn forget(&mut self, acknowledged: u32) {
        let done = self.packets.partition_point(|tsn| !is_after(*tsn, acknowledged));
        self.packets.drain(..done);
        if self.packets.is_empty() {
            // A session that rests keeps nothing.
            self.packets = VecDeque::new();
        }
    }
}

impl Report {
    /// If the packet begins with one that is whole, and not too long, and bears this tag.
    pub(super) fn read(tag: u32, packet: &[u8]) -> Option<Self> {
        let chunk = packet.get(FIRST_CHUNK..).filter(|chunk| chunk.first() == Some(&SACK))?;
        let gaps = usize::from(short(chunk, 12)?);
        let chunk = chunk.get(..short(chunk, 2)?.into())?;
        let blocks = chunk.get(HEADER..HEADER + gaps * BLOCK).filter(|_| gaps <= MAX_GAPS)?;
        let blocks =
            blocks.chunks_exact(BLOCK).filter_map(|block| Some((short(block, 0)?, short(block, 2)?)));
        Some(Self {
            tag: number(packet, 4).filter(|it| *it == tag)?,
            acknowledged: number(chunk, 4)?,
            window: number(chunk, 8)?,
            blocks: blocks.collect(),
        })
    }

    pub(super) fn highest(&self) -> u32 {
        self.acknowledged.wrapping_add(self.blocks.last().map_or(0, |(_, last)| (*last).into()))
    }

    /// Whether it acknowledges this out of sequence.
    pub(super) fn has(&self, tsn: u32) -> bool {
        let offset = u16::try_from(tsn.wrapping_sub(self.acknowledged));
        offset.is_ok_and(|offset| self.blocks.iter().any(|(first, last)| (*first..=*last).contains(&offset)))
    }

    /// The same, but in sequence only up to this: what follows has come out of sequence.
    fn in_sequence_up_to(&self, tsn: u32) -> Option<Self> {
        let moved = u16::try_from(self.acknowledged.wrapping_sub(tsn)).ok()?;
        let blocks = self
            .blocks
            .iter()
            .map(|(first, last)| Some((first.checked_add(moved)?, last.checked_add(moved)?)));
        let blocks = [Some((1, moved))].into_iter().chain(blocks).collect::<Option<_>>()?;
        Some(Self { acknowledged: tsn, blocks, ..*self })
    }

    /// The same without what comes after this.
    fn up_to(&self, tsn: u32) -> Self {
        let most = u16::try_from(tsn.wrapping_sub(self.acknowledged)).unwrap_or(u16::MAX);
        let blocks = self.blocks.iter().filter(|(first, _)| *first <= most);
        Self { blocks: blocks.map(|(first, last)| (*first, most.min(*last))).collect(), ..*self }
    }

    fn write(&self) -> BytesMut {
        let length = HEADER + self.blocks.len() * BLOCK;
        let mut chunk = Vec::with_capacity(length);
        chunk.put_slice(&[SACK, 0]);
        // There are few blocks.
        chunk.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
        chunk.put_u32(self.acknowledged);
        chunk.put_u32(self.window);
        chunk.put_u16(u16::try_from(self.blocks.len()).unwrap_or(u16::MAX));
        chunk.put_u16(0);
        for (first, last) in &self.blocks {
            chunk.put_u16(*first);
            chunk.put_u16(*last);
        }
        packet(self.tag, &chunk)
    }
}

/// Whose a packet is, its first DATA's TSN, and where its DATA begins: at its front, or behind an acknowledgement alone.
pub(super) fn data_of(packet: &[u8]) -> Option<(u32, u32, usize)> {
    let mut offset = FIRST_CHUNK;
    if packet.get(offset) == Some(&SACK) {
        offset += usize::from(short(packet, offset + 2)?);
    }
    let tsn = number(packet, offset + 4).filter(|_| packet.get(offset) == Some(&DATA))?;
    Some((number(packet, 4)?, tsn, offset))
}

/// TSNs are numbers on a circle (RFC 9260, 1.6).
pub(super) fn is_after(tsn: u32, other: u32) -> bool {
    tsn.wrapping_sub(other).cast_signed() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: u32 = 7;
    const NONE: [BytesMut; 0] = [];

    /// An acknowledgement up to this TSN, and of these blocks behind it.
    fn report(acknowledged: u32, blocks: &[(u16, u16)]) -> BytesMut {
        Report { tag: TAG, acknowledged, window: 1000, blocks: blocks.to_vec() }.write()
    }

    /// What rtc-sctp is told before this packet.
    fn pieces(reports: &mut Reports, packet: &[u8]) -> Vec<BytesMut> {
        Report::read(TAG, packet).and_then(|report| reports.pieces(&report)).unwrap_or_default()
    }

    /// After packets with a chunk each, behind this TSN.
    fn after_packets(base: u32, count: u32) -> Reports {
        let mut reports = Reports::default();
        for tsn in 1..=count {
            let mut data = vec![DATA, 3, 0, 17];
            data.put_u32(base.wrapping_add(tsn));
            data.resize(20, 0);
            reports.sends(&packet(1, &data));
        }
        reports
    }

    #[test]
    fn packets_that_have_come_behind_a_gap_are_told_one_by_one_until_they_count() {
        let mut reports = after_packets(10, 20);
        assert_eq!(pieces(&mut reports, &report(10, &[])), NONE);
        // 11 is missing.
        let told = pieces(&mut reports, &report(10, &[(2, 6)]));
        assert_eq!(told, [report(10, &[(2, 2)]), report(10, &[(2, 3)])]);
        // Also 17; of what is new there is but one more.
        let told = pieces(&mut reports, &report(10, &[(2, 6), (8, 9)]));
        assert_eq!(told, [report(10, &[(2, 6), (8, 8)])]);
        assert_eq!(pieces(&mut reports, &report(10, &[(2, 6), (8, 9)])), NONE);
    }

    #[test]
    fn many_chunks_of_one_packet_count_as_one() {
        let mut reports = after_packets(10, 2);
        assert_eq!(pieces(&mut reports, &report(10, &[(2, 9)])), NONE);
    }

    #[test]
    fn a_packet_that_leaves_behind_an_acknowledgement_counts_too() {
        let mut reports = after_packets(10, 2);
        let [first, second] = [13_u8, 14].map(|tsn| [DATA, 3, 0, 17, 0, 0, 0, tsn]);
        for data in [first, second] {
            reports.sends(&[&report(99, &[(2, 3)])[..], &data].concat());
        }
        let told = pieces(&mut reports, &report(10, &[(2, 4)]));
        assert_eq!(told, [report(10, &[(2, 2)]), report(10, &[(2, 3)])]);
    }

    #[test]
    fn what_goes_on_in_sequence_while_more_is_missing_is_told_in_three_steps() {
        // Also where the numbers begin anew.
        for base in [10_u32, u32::MAX - 3] {
            let after = |tsn: u32| base.wrapping_add(tsn);
            let mut reports = after_packets(base, 12);
            pieces(&mut reports, &report(base, &[(2, 5), (7, 9)]));
            let told = pieces(&mut reports, &report(after(5), &[(2, 4)]));
            assert_eq!(told, [report(after(1), &[(1, 4), (6, 8)]), report(after(2), &[(1, 3), (5, 7)])]);
            assert_eq!(pieces(&mut reports, &report(after(9), &[])), NONE);
            assert_eq!(reports.packets, [after(10), after(11), after(12)]);
            pieces(&mut reports, &report(after(12), &[]));
            assert_eq!(reports.packets.capacity(), 0);
        }
    }

    #[test]
    fn what_is_late_malformed_long_or_anothers_is_left_alone() {
        let mut reports = after_packets(0, 40);
        pieces(&mut reports, &report(10, &[(2, 2)]));
        let many: Vec<_> = (1..=65).map(|gap| (2 * gap, 2 * gap)).collect();
        let mut short_chunk = report(10, &[(2, 9)]);
        short_chunk[15] -= 4;
        for packet in [report(9, &[(3, 9)]), report(12, &many), short_chunk] {
            assert_eq!(pieces(&mut reports, &packet), NONE);
        }
        let whole = report(10, &[(2, 9), (11, 15)]);
        for length in 0..whole.len() {
            assert_eq!(pieces(&mut reports, &whole[..length]), NONE, "{length}");
        }
        assert!(Report::read(TAG + 1, &whole).is_none());
        for late in [report(9, &[]), report(10, &[])] {
            assert!(Report::read(TAG, &late).is_some_and(|late| reports.pieces(&late).is_none()));
        }
        assert_eq!(pieces(&mut reports, &whole).len(), 2);
    }

    #[test]
    fn blocks_of_any_width_are_not_gone_through_number_by_number() {
        let mut reports = after_packets(10, 3);
        let wide = report(10, &[(1, u16::MAX); MAX_GAPS]);
        // Were they, this would take minutes.
        for _ in 0..10_000 {
            assert!(pieces(&mut reports, &wide).len() < 3);
        }
        // Nor told of beyond what a piece can name, nor if they end before they begin.
        assert_eq!(pieces(&mut reports, &report(12, &[(2, u16::MAX)])), NONE);
        pieces(&mut reports, &report(13, &[(9, 2)]));
    }
}
