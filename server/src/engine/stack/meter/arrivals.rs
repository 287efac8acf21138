//! Which DATA has come, by its TSN: a number on a circle (RFC 9260, 1.6).

use std::collections::VecDeque;

/// How far a FORWARD TSN may be ahead: rtc-sctp takes every TSN up to it for itself, and holds its worker meanwhile. More
/// than fits into any window as chunks of proper size.
const MAX_FORWARD: i32 = 1 << 17;

/// How far what is late may be behind. Nothing is by as much; but what is by half the circle would be ahead for rtc-sctp,
/// which has come further than it has acknowledged.
const MAX_BEHIND: i32 = -(1 << 30);

pub(super) struct Arrivals {
    base: Base,
    /// Whether the TSNs after the acknowledged one have come, in their order.
    come: VecDeque<bool>,
    /// How far DATA may be ahead.
    most: usize,
    highest: Option<u32>,
}

#[derive(Clone, Copy)]
enum Base {
    Unknown,
    /// One before the peer's first TSN.
    Announced(u32),
    /// The peer has announced several first TSNs, of which the meter cannot tell which one counts.
    Ambiguous,
    /// The last cumulative acknowledgement that has left.
    Acknowledged(u32),
}

pub(super) enum Arrival {
    New,
    /// It fills a gap.
    Missing,
    Duplicate,
    TooFar,
}

impl Arrivals {
    /// DATA may be ahead by this many.
    pub(super) fn new(most: usize) -> Self {
        Self { base: Base::Unknown, come: VecDeque::new(), most, highest: None }
    }

    /// The peer has announced its first TSN, in its INIT or INIT ACK.
    pub(super) fn begin(&mut self, initial: u32) {
        let base = initial.wrapping_sub(1);
        self.base = match self.base {
            Base::Unknown => Base::Announced(base),
            Base::Announced(announced) if announced != base => Base::Ambiguous,
            known => known,
        };
    }

    /// What DATA with this TSN is, before it is noted.
    pub(super) fn judge(&self, tsn: u32) -> Arrival {
        let Some(ahead) = self.ahead(tsn) else { return Arrival::New };
        if ahead <= 0 {
            return if ahead < MAX_BEHIND { Arrival::TooFar } else { Arrival::Duplicate };
        }
        let place = place(ahead);
        if place >= self.most {
            Arrival::TooFar
        } else if self.come.get(place) == Some(&true) {
            Arrival::Duplicate
        } else if self.highest.is_some_and(|highest| distance(highest, tsn) < 0) {
            Arrival::Missing
        } else {
            Arrival::New
        }
    }

    /// DATA with this TSN, new or missing, has been let in.
    pub(super) fn note(&mut self, tsn: u32) {
        if self.highest.is_none_or(|highest| distance(highest, tsn) > 0) {
            self.highest = Some(tsn);
        }
        let Some(place) = self.ahead(tsn).filter(|ahead| *ahead > 0).map(place) else { return };
        if place >= self.come.len() {
            self.come.resize(place + 1, false);
        }
        self.come[place] = true;
    }

    /// An acknowledgement leaves.
    pub(super) fn acknowledge(&mut self, tsn: u32) {
        if let Base::Announced(last) | Base::Acknowledged(last) = self.base {
            let advance = usize::try_from(distance(last, tsn)).unwrap_or_default();
            self.come.drain(..advance.min(self.come.len()));
        } else {
            self.come.clear();
        }
        self.base = Base::Acknowledged(tsn);
    }

    /// Whether SCTP can go forward to this TSN.
    pub(super) fn can_forward(&self, tsn: u32) -> bool {
        self.ahead(tsn).is_some_and(|ahead| (MAX_BEHIND..=MAX_FORWARD).contains(&ahead))
    }

    fn ahead(&self, tsn: u32) -> Option<i32> {
        match self.base {
            Base::Announced(base) | Base::Acknowledged(base) => Some(distance(base, tsn)),
            Base::Unknown | Base::Ambiguous => None,
        }
    }
}

fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

/// Among the TSNs after the base, of one that is ahead of it.
fn place(ahead: i32) -> usize {
    usize::try_from(ahead - 1).unwrap_or_default()
}
