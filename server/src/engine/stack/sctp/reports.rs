//! The peer's acknowledgements, in pieces from which rtc-sctp learns more.
//!
//! It sends a chunk again once three acknowledgements have reported it missing, each for something newer; in fast recovery those
//! count that go on in sequence (RFC 9260, 7.2.4). Peers acknowledge several packets together, so that often no three come:
//! for one of the last packets of a window, or for the second that was lost in one. Such a chunk waits for the timer, which
//! then sets the window to one packet. TCP counts what has been acknowledged behind the gap instead (RFC 6675, 4). So does
//! this: an acknowledgement for several chunks is preceded by two of its own making, for the first and the second of them.

use bytes::{BufMut, BytesMut};

use super::{super::packet::packet, FIRST_CHUNK};

const SACK: u8 = 3;
const HEADER: usize = 16;
const BLOCK: usize = 4;

/// How many reports make a chunk be sent again.
const INDICATIONS: u32 = 3;

/// With more gaps than this an acknowledgement is long, and costs to read.
const MAX_GAPS: usize = 64;

#[derive(Default)]
pub(super) struct Reports {
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
struct Report {
    tag: u32,
    acknowledged: u32,
    window: u32,
    /// What has come behind, counted from there: the first and the last of each block.
    blocks: Vec<(u16, u16)>,
}

impl Reports {
    /// What rtc-sctp is to be told before this packet of the peer's.
    pub(super) fn pieces(&mut self, packet: &[u8]) -> Vec<BytesMut> {
        let Some(report) = Report::read(packet) else { return Vec::new() };
        let seen = Seen { acknowledged: report.acknowledged, highest: report.highest() };
        let before = self.last.unwrap_or(Seen { highest: seen.acknowledged, ..seen });
        let advance = seen.acknowledged.wrapping_sub(before.acknowledged);
        if advance.cast_signed() < 0 {
            return Vec::new();
        }
        self.last = Some(seen);
        if report.blocks.is_empty() {
            return Vec::new();
        }
        let had_gaps = before.highest != before.acknowledged;
        let pieces: Vec<Option<Report>> = if had_gaps && advance > 1 {
            let in_sequence =
                (1..advance.min(INDICATIONS)).map(|step| before.acknowledged.wrapping_add(step));
            in_sequence.map(|tsn| report.in_sequence_up_to(tsn)).collect()
        } else {
            let new: Vec<u32> = report.behind(before.highest).take(INDICATIONS as usize).collect();
            let (_last, others) = new.split_last().unwrap_or((&0, &[]));
            others.iter().map(|tsn| Some(report.up_to(*tsn))).collect()
        };
        pieces.iter().flatten().map(Report::write).collect()
    }
}

impl Report {
    /// If the packet begins with one that is not too long.
    fn read(packet: &[u8]) -> Option<Self> {
        let chunk = packet.get(FIRST_CHUNK..).filter(|chunk| chunk.first() == Some(&SACK))?;
        let gaps = usize::from(short(chunk, 12)?);
        let blocks = chunk.get(HEADER..HEADER + gaps * BLOCK).filter(|_| gaps <= MAX_GAPS)?;
        let blocks =
            blocks.chunks_exact(BLOCK).filter_map(|block| Some((short(block, 0)?, short(block, 2)?)));
        Some(Self {
            tag: number(packet, 4)?,
            acknowledged: number(chunk, 4)?,
            window: number(chunk, 8)?,
            blocks: blocks.collect(),
        })
    }

    fn highest(&self) -> u32 {
        self.acknowledged.wrapping_add(self.blocks.last().map_or(0, |(_, end)| (*end).into()))
    }

    /// What it acknowledges out of sequence behind this.
    fn behind(&self, tsn: u32) -> impl Iterator<Item = u32> {
        let of_block = |(first, last): &(u16, u16)| *first..=*last;
        let all =
            self.blocks.iter().flat_map(of_block).map(|offset| self.acknowledged.wrapping_add(offset.into()));
        all.filter(move |one| one.wrapping_sub(tsn).cast_signed() > 0)
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

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [BytesMut; 0] = [];

    /// An acknowledgement up to this TSN, and of these blocks behind it.
    fn report(acknowledged: u32, blocks: &[(u16, u16)]) -> BytesMut {
        Report { tag: 7, acknowledged, window: 1000, blocks: blocks.to_vec() }.write()
    }

    #[test]
    fn what_has_come_behind_a_gap_is_told_one_by_one_until_it_counts() {
        let mut reports = Reports::default();
        assert_eq!(reports.pieces(&report(10, &[])), NONE);
        // 11 is missing.
        let pieces = reports.pieces(&report(10, &[(2, 6)]));
        assert_eq!(pieces, [report(10, &[(2, 2)]), report(10, &[(2, 3)])]);
        // Also 17; of what is new there is but one more.
        let pieces = reports.pieces(&report(10, &[(2, 6), (8, 9)]));
        assert_eq!(pieces, [report(10, &[(2, 6), (8, 8)])]);
        assert_eq!(reports.pieces(&report(10, &[(2, 6), (8, 9)])), NONE);
    }

    #[test]
    fn what_goes_on_in_sequence_while_more_is_missing_is_told_in_three_steps() {
        // Also where the numbers begin anew.
        for base in [10_u32, u32::MAX - 3] {
            let after = |tsn: u32| base.wrapping_add(tsn);
            let mut reports = Reports::default();
            reports.pieces(&report(base, &[(2, 5), (7, 9)]));
            let pieces = reports.pieces(&report(after(5), &[(2, 4)]));
            assert_eq!(pieces, [report(after(1), &[(1, 4), (6, 8)]), report(after(2), &[(1, 3), (5, 7)])]);
            assert_eq!(reports.pieces(&report(after(9), &[])), NONE);
        }
    }

    #[test]
    fn what_is_late_malformed_or_long_is_left_alone() {
        let mut reports = Reports::default();
        reports.pieces(&report(10, &[(2, 2)]));
        assert_eq!(reports.pieces(&report(9, &[(3, 9)])), NONE);
        let many: Vec<_> = (1..=65).map(|gap| (2 * gap, 2 * gap)).collect();
        assert_eq!(reports.pieces(&report(12, &many)), NONE);
        let whole = report(12, &[(2, 9), (11, 15)]);
        for length in 0..whole.len() {
            assert_eq!(reports.pieces(&whole[..length]), NONE, "{length}");
        }
        assert_eq!(reports.pieces(&whole).len(), 1);
        // Blocks that end before they begin, and beyond what a piece can tell.
        for blocks in [&[(9, 2)][..], &[(2, u16::MAX)]] {
            reports.pieces(&report(13, &[(2, 2)]));
            reports.pieces(&report(20, blocks));
        }
    }
}
