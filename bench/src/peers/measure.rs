//! What is measured, by which offerers, and how much of it.

use std::{fmt, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::offerers::Kind;

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
    /// Round trips and an echo while so many per cent of the datagrams are lost
    Loss,
    /// Memory while so many MiB are sent back
    Growth,
}

/// One measurement of a peer. What the number means says the measure; 0 where it has none.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Cell {
    pub(crate) measure: Measure,
    pub(crate) number: u32,
    pub(crate) offerer: Kind,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) connections: usize,
    pub(crate) warm_up: usize,
    pub(crate) messages: usize,
    pub(crate) megabytes: usize,
    /// What a transfer may take until no more is sent.
    pub(crate) limit: Duration,
    pub(crate) idle: usize,
    pub(crate) waves: usize,
    pub(crate) settle: Duration,
    pub(crate) rate: usize,
    pub(crate) talk: Duration,
}

impl Scale {
    pub(crate) const FULL: Self = Self {
        connections: 30,
        warm_up: 300,
        messages: 5000,
        megabytes: 32,
        limit: Duration::from_secs(4),
        idle: 200,
        waves: 3,
        settle: Duration::from_secs(2),
        rate: 300,
        talk: Duration::from_secs(3),
    };

    pub(crate) const QUICK: Self = Self {
        connections: 8,
        warm_up: 100,
        messages: 1000,
        megabytes: 4,
        limit: Duration::from_secs(1),
        idle: 50,
        waves: 1,
        settle: Duration::from_secs(1),
        rate: 50,
        talk: Duration::from_secs(1),
    };
}

/// The round trip of the network that is not near, in milliseconds.
const FAR: u32 = 50;

/// Everything that one round measures of each peer.
pub(crate) fn plan(quick: bool) -> Vec<Cell> {
    let cell = |measure, number, offerer| Cell { measure, number, offerer };
    if quick {
        return vec![
            cell(Measure::Connect, 0, Kind::Chromium),
            cell(Measure::RoundTrip, 0, Kind::Native),
            cell(Measure::Echo, 16, Kind::Native),
            cell(Measure::Idle, 0, Kind::Native),
        ];
    }
    let mut plan = Vec::new();
    for offerer in Kind::ALL {
        let is_native = offerer == Kind::Native;
        plan.push(cell(Measure::Connect, 0, offerer));
        // The native offerer has nothing to gather.
        plan.extend((!is_native).then(|| cell(Measure::Gathered, 0, offerer)));
        plan.push(cell(Measure::Delayed, FAR, offerer));
        plan.push(cell(Measure::RoundTrip, 0, offerer));
        plan.extend([1, 16, 64].map(|size| cell(Measure::Echo, size, offerer)));
    }
    for offerer in [Kind::Libwebrtc, Kind::Native] {
        plan.extend([1, 16, 64].map(|size| cell(Measure::Up, size, offerer)));
        plan.extend([1, 16, 64].map(|size| cell(Measure::Down, size, offerer)));
        plan.extend([0, 1, 5, 10].map(|percent| cell(Measure::Loss, percent, offerer)));
    }
    plan.push(cell(Measure::Rate, 0, Kind::Native));
    plan.extend([1, 10, 100, 1000].map(|number| cell(Measure::Active, number, Kind::Native)));
    plan.push(cell(Measure::Idle, 0, Kind::Native));
    plan.push(cell(Measure::Calls, 0, Kind::Native));
    plan.push(cell(Measure::Growth, 1024, Kind::Native));
    plan
}

impl Cell {
    /// Counts repeat and a gibibyte takes long: these are measured in the first round only.
    pub(crate) fn is_for(self, round: u32) -> bool {
        round == 1 || !matches!(self.measure, Measure::Calls | Measure::Growth | Measure::Loss)
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
        let set: BTreeSet<Cell> = whole.iter().copied().collect();
        assert_eq!(set.len(), whole.len());
        assert!(plan(true).iter().all(|cell| set.contains(cell)));
    }

    #[test]
    fn counts_and_long_measures_are_taken_once() {
        let later: Vec<Cell> = plan(false).into_iter().filter(|cell| cell.is_for(2)).collect();
        assert!(later.iter().any(|cell| cell.measure == Measure::Idle));
        assert!(!later.iter().any(|cell| cell.measure == Measure::Growth));
    }
}
