//! What is measured, by which offerers, and how much of it.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{allocations::Counter, offerers::Kind, roster::Peer};

/// A kind of measurement.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    /// Connections one after the other; the offer leaves at once
    Connect,
    /// The same; the offer leaves with all its candidates
    Gathered,
    /// The first over a network with a round trip of so many milliseconds
    Delayed,
    /// The second over that network
    GatheredDelayed,
    /// One message of 64 bytes at a time
    RoundTrip,
    /// Messages of so many KiB, all sent back
    Echo,
    /// Messages of so many KiB to the server
    Up,
    /// Messages of so many KiB from the server
    Down,
    /// Connections per second, several at a time
    Rate,
    /// So many connections, each with one message of 64 bytes at a time
    Active,
    /// Memory of connections that do nothing, in waves
    Idle,
    /// System calls for one message at a time
    Calls,
    /// Allocations for one message at a time
    Allocations,
    /// A channel as a stream of bytes, sent back in pieces of so many KiB
    Stream,
    /// Round trips and an echo while so many per cent of the datagrams are lost
    Loss,
    /// Memory while so many MiB are sent back
    Growth,
    /// The same, to who reads nothing at first and sends as much as is taken
    Unread,
    /// The client in a page against JavaScript by hand
    Overhead,
}

/// One measurement of a peer. What the number means says the measure; 0 where it has none.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Cell {
    pub(crate) measure: Measure,
    pub(crate) number: u32,
    pub(crate) offerer: Kind,
    /// Whether it is taken in the first round only.
    pub(crate) once: bool,
}

/// How much of everything. Work lasts for a time rather than until an amount is done, so that a slow peer takes no longer
/// than a fast one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// How many connections are made one after the other at most, and how many at least.
    pub(crate) connections: (usize, usize),
    /// How long messages are sent, or connections made.
    pub(crate) span: Duration,
    /// How long that is done before the clock starts.
    pub(crate) warm_up: Duration,
    /// How many connections come up at once at most, while they are counted by the second.
    pub(crate) rate: usize,
    /// How long a crowd may take to come up.
    pub(crate) crowd: Duration,
    pub(crate) idle: usize,
    pub(crate) waves: usize,
    pub(crate) settle: Duration,
    /// How long bytes are sent to make memory grow.
    pub(crate) growth: Duration,
    /// How long nothing is read at first, where that is to fill every buffer.
    pub(crate) unread: Duration,
    /// How often the page does the same.
    pub(crate) turns: u32,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        connections: (100, 5),
        span: Duration::from_secs(2),
        warm_up: Duration::from_millis(300),
        rate: 2000,
        crowd: Duration::from_secs(20),
        idle: 200,
        waves: 3,
        settle: Duration::from_secs(1),
        growth: Duration::from_secs(20),
        unread: Duration::from_secs(3),
        turns: 301,
    };

    pub(crate) const QUICK: Self = Self {
        connections: (10, 3),
        span: Duration::from_secs(1),
        warm_up: Duration::from_millis(200),
        rate: 500,
        crowd: Duration::from_secs(10),
        idle: 50,
        waves: 1,
        settle: Duration::from_millis(500),
        growth: Duration::from_secs(4),
        unread: Duration::from_secs(1),
        turns: 11,
    };

    /// Waves are for the first round: what they leave behind is no matter of luck.
    pub(crate) fn of_round(self, round: u32) -> Self {
        Self { waves: if round == 1 { self.waves } else { 1 }, ..self }
    }
}

/// The round trip of the network that is not near, in milliseconds.
const FAR: u32 = 50;

/// Everything that is measured of each peer.
pub(crate) fn plan(quick: bool) -> Vec<Cell> {
    use Kind::{Chromium, Firefox, Libdatachannel, Libwebrtc, Native, Snap};
    let every = |measure, number, offerer| Cell { measure, number, offerer, once: false };
    let once = |measure, number, offerer| Cell { measure, number, offerer, once: true };
    if quick {
        return vec![
            every(Measure::Connect, 0, Chromium),
            every(Measure::RoundTrip, 0, Native),
            every(Measure::Echo, 16, Native),
            every(Measure::Idle, 0, Native),
        ];
    }
    let mut plan = Kind::ALL.map(|offerer| every(Measure::Connect, 0, offerer)).to_vec();
    // The native offerer has nothing to gather.
    plan.extend([Chromium, Libwebrtc].map(|offerer| every(Measure::Gathered, 0, offerer)));
    plan.extend([Firefox, Libdatachannel].map(|offerer| once(Measure::Gathered, 0, offerer)));
    plan.extend([Chromium, Snap, Native].map(|offerer| every(Measure::Delayed, FAR, offerer)));
    plan.extend([Firefox, Libwebrtc, Libdatachannel].map(|offerer| once(Measure::Delayed, FAR, offerer)));
    plan.extend([Chromium, Libwebrtc].map(|offerer| once(Measure::GatheredDelayed, FAR, offerer)));
    plan.extend([Chromium, Libwebrtc, Native].map(|offerer| every(Measure::RoundTrip, 0, offerer)));
    plan.extend([Firefox, Libdatachannel].map(|offerer| once(Measure::RoundTrip, 0, offerer)));
    plan.extend([1, 16, 64].map(|size| every(Measure::Echo, size, Native)));
    plan.extend([16, 64].map(|size| every(Measure::Echo, size, Libwebrtc)));
    plan.push(every(Measure::Echo, 16, Chromium));
    plan.push(once(Measure::Echo, 1, Libwebrtc));
    plan.extend([Firefox, Libdatachannel].map(|offerer| once(Measure::Echo, 16, offerer)));
    plan.push(once(Measure::Echo, 64, Chromium));
    for measure in [Measure::Up, Measure::Down] {
        plan.push(every(measure, 16, Native));
        plan.extend([1, 64].map(|size| once(measure, size, Native)));
        plan.push(once(measure, 16, Libwebrtc));
    }
    plan.push(every(Measure::Rate, 0, Native));
    plan.push(every(Measure::Active, 100, Native));
    plan.extend([1, 10, 1000].map(|number| once(Measure::Active, number, Native)));
    plan.push(every(Measure::Idle, 0, Native));
    // The native offerer's own timer of a second would hide the peers'.
    plan.extend([0, 1, 5, 10].map(|percent| once(Measure::Loss, percent, Libwebrtc)));
    plan.push(once(Measure::Calls, 0, Native));
    plan.push(once(Measure::Allocations, 0, Native));
    plan.push(once(Measure::Stream, 16, Native));
    plan.push(once(Measure::Growth, 1024, Native));
    plan.push(once(Measure::Unread, 1024, Native));
    plan.push(once(Measure::Overhead, 0, Chromium));
    plan
}

impl Cell {
    /// Counts repeat, and what takes long or interests few is taken once.
    pub(crate) fn is_for(self, round: u32) -> bool {
        round == 1 || !self.once
    }

    /// Some things only our own library has, and the allocations of JavaScript and Python are not seen from outside.
    pub(crate) fn is_of(self, peer: Peer) -> bool {
        match self.measure {
            Measure::Stream | Measure::Overhead => peer == Peer::Hola,
            Measure::Allocations => Counter::is_for(peer),
            _ => true,
        }
    }

    /// When a measurement has certainly gone wrong.
    pub(crate) fn patience(self) -> Duration {
        match self.measure {
            Measure::Idle => Duration::from_secs(90),
            Measure::Growth | Measure::Unread => Duration::from_mins(1),
            Measure::Active if self.number > 100 => Duration::from_mins(1),
            Measure::Overhead => Duration::from_mins(5),
            _ => Duration::from_secs(30),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 => write!(f, "{} by {}", self.measure, self.offerer),
            number => write!(f, "{} {number} by {}", self.measure, self.offerer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nothing_is_planned_twice_and_the_quick_plan_is_part_of_the_whole() {
        let whole = plan(false);
        let set: BTreeSet<_> = whole.iter().map(|cell| (cell.measure, cell.number, cell.offerer)).collect();
        assert_eq!(set.len(), whole.len());
        assert!(plan(true).iter().all(|cell| whole.contains(cell)));
    }

    #[test]
    fn everything_that_can_be_measured_is_planned() {
        let whole = plan(false);
        assert!(Measure::value_variants().iter().all(|it| whole.iter().any(|cell| cell.measure == *it)));
    }

    #[test]
    fn counts_and_long_measures_are_taken_once() {
        let later: Vec<Cell> = plan(false).into_iter().filter(|cell| cell.is_for(2)).collect();
        assert!(later.iter().any(|cell| cell.measure == Measure::Idle));
        assert!(!later.iter().any(|cell| cell.measure == Measure::Growth));
    }
}
