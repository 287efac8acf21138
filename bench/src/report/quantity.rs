//! What the figures are called, their units, and which way is better.

use super::stats::Better::{self, Higher, Lower};
use crate::peers::Measure;

/// One kind of figure of a measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantity {
    pub(crate) measure: Measure,
    pub(crate) figure: &'static str,
    pub(crate) label: &'static str,
    pub(crate) unit: &'static str,
    /// From the unit of the raw figure to this one.
    pub(crate) factor: f64,
    pub(crate) better: Better,
}

const fn quantity(
    measure: Measure,
    figure: &'static str,
    label: &'static str,
    unit: &'static str,
    better: Better,
) -> Quantity {
    // The raw quantiles are in milliseconds, too coarse a unit for one message.
    let factor =
        if matches!(unit.as_bytes(), b"us") && matches!(figure.as_bytes(), [b'p', ..]) { 1e3 } else { 1.0 };
    Quantity { measure, figure, label, unit, factor, better }
}

/// All, in the order of the report's rows.
pub(crate) const ALL: &[Quantity] = &[
    quantity(Measure::Connect, "click-p50", "click to open, p50", "ms", Lower),
    quantity(Measure::Connect, "click-p90", "click to open, p90", "ms", Lower),
    quantity(Measure::Connect, "post-p50", "POST to open, p50", "ms", Lower),
    quantity(Measure::Connect, "post-p90", "POST to open, p90", "ms", Lower),
    quantity(Measure::Connect, "cpu-per-connection", "server CPU per connection", "ms", Lower),
    quantity(Measure::Gathered, "click-p50", "click to open with complete gathering, p50", "ms", Lower),
    quantity(Measure::Gathered, "post-p50", "POST to open with complete gathering, p50", "ms", Lower),
    quantity(Measure::Gathered, "post-p90", "POST to open with complete gathering, p90", "ms", Lower),
    quantity(Measure::Delayed, "click-p50", "click to open at a round trip of {} ms, p50", "ms", Lower),
    quantity(Measure::Delayed, "post-p50", "POST to open at a round trip of {} ms, p50", "ms", Lower),
    quantity(Measure::Delayed, "round-trips", "POST to open in round trips of {} ms", "", Lower),
    quantity(
        Measure::GatheredDelayed,
        "post-p50",
        "POST to open with complete gathering at a round trip of {} ms, p50",
        "ms",
        Lower,
    ),
    quantity(
        Measure::GatheredDelayed,
        "round-trips",
        "POST to open with complete gathering in round trips of {} ms",
        "",
        Lower,
    ),
    quantity(Measure::RoundTrip, "p50", "round trip 64 B, p50", "us", Lower),
    quantity(Measure::RoundTrip, "p99", "round trip 64 B, p99", "us", Lower),
    quantity(Measure::RoundTrip, "p999", "round trip 64 B, p99.9", "us", Lower),
    quantity(Measure::RoundTrip, "cpu-per-message", "server CPU per message", "us", Lower),
    quantity(Measure::RoundTrip, "switches-per-message", "context switches per message", "", Lower),
    quantity(Measure::Calls, "calls-per-message", "system calls per message", "", Lower),
    quantity(Measure::Allocations, "allocations-per-message", "allocations per message", "", Lower),
    quantity(Measure::Echo, "megabytes-per-second", "echo {} KiB", "MB/s", Higher),
    quantity(Measure::Echo, "cpu-per-megabyte", "server CPU per MB echoed, {} KiB", "ms", Lower),
    quantity(Measure::Up, "megabytes-per-second", "to the server {} KiB", "MB/s", Higher),
    quantity(Measure::Up, "cpu-per-megabyte", "server CPU per MB received, {} KiB", "ms", Lower),
    quantity(Measure::Down, "megabytes-per-second", "from the server {} KiB", "MB/s", Higher),
    quantity(Measure::Down, "cpu-per-megabyte", "server CPU per MB sent, {} KiB", "ms", Lower),
    quantity(Measure::Stream, "megabytes-per-second", "echo of a stream of bytes, {} KiB", "MB/s", Higher),
    quantity(Measure::Stream, "cpu-per-megabyte", "server CPU per MB of a stream, {} KiB", "ms", Lower),
    quantity(Measure::Rate, "connections-per-second", "new connections", "/s", Higher),
    quantity(Measure::Rate, "cpu-per-connection", "server CPU per connection, 16 at a time", "ms", Lower),
    quantity(Measure::Active, "messages-per-second", "messages, {} connections active", "/s", Higher),
    quantity(Measure::Active, "p99", "round trip 64 B, {} connections active, p99", "us", Lower),
    quantity(
        Measure::Active,
        "cpu-per-message",
        "server CPU per message, {} connections active",
        "us",
        Lower,
    ),
    quantity(Measure::Idle, "memory-per-connection", "memory per idle connection", "KiB", Lower),
    quantity(
        Measure::Idle,
        "memory-per-closed",
        "memory kept 2 s after the close, per connection",
        "KiB",
        Lower,
    ),
    quantity(Measure::Idle, "gone", "from the close of 20 at once until they are gone", "ms", Lower),
    quantity(Measure::Idle, "memory-per-closed-last", "the same after the last wave", "KiB", Lower),
    quantity(
        Measure::Idle,
        "files-per-closed",
        "sockets kept 2 s after the close, per connection",
        "",
        Lower,
    ),
    quantity(Measure::Idle, "cpu-idle", "server CPU for 100 idle connections, per second", "ms", Lower),
    quantity(Measure::Growth, "grown-peak", "memory grown while {} MiB are echoed, peak", "MiB", Lower),
    quantity(Measure::Growth, "grown-after", "the same 2 s later", "MiB", Lower),
    quantity(Measure::Growth, "echoed", "echoed meanwhile, within 20 s", "MB", Higher),
    quantity(
        Measure::Unread,
        "grown-peak",
        "memory grown by an echo of {} MiB to who reads late, peak",
        "MiB",
        Lower,
    ),
    quantity(Measure::Unread, "echoed", "echoed to who reads late, within 20 s", "MB", Higher),
    quantity(Measure::Loss, "p50", "round trip 64 B, {} % lost each way, p50", "us", Lower),
    quantity(Measure::Loss, "p99", "round trip 64 B, {} % lost each way, p99", "us", Lower),
    quantity(Measure::Loss, "megabytes-per-second", "echo 16 KiB, {} % lost each way, 10 ms", "MB/s", Higher),
    quantity(Measure::Overhead, "trips", "the client's time to JavaScript's by hand, round trips", "", Lower),
    quantity(Measure::Overhead, "trips-again", "by hand once more to by hand, round trips", "", Lower),
    quantity(
        Measure::Overhead,
        "transfer",
        "the client's time to JavaScript's by hand, echo 16 KiB",
        "",
        Lower,
    ),
    quantity(Measure::Overhead, "transfer-again", "by hand once more to by hand, echo 16 KiB", "", Lower),
];

impl Quantity {
    /// The label with the measurement's number.
    pub(crate) fn label(&self, number: u32) -> String {
        self.label.replace("{}", &number.to_string())
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers have no rounding")]
mod tests {
    use super::*;

    #[test]
    fn times_of_single_messages_are_told_in_microseconds() {
        let factor = |measure, figure| {
            let found = ALL.iter().find(|it| it.measure == measure && it.figure == figure);
            found.unwrap().factor
        };
        assert_eq!(factor(Measure::RoundTrip, "p50"), 1e3);
        assert_eq!(factor(Measure::RoundTrip, "cpu-per-message"), 1.0);
        assert_eq!(factor(Measure::Connect, "post-p50"), 1.0);
    }

    #[test]
    fn labels_carry_the_number() {
        let echo = ALL.iter().find(|it| it.measure == Measure::Echo).unwrap();
        assert_eq!(echo.label(16), "echo 16 KiB");
    }
}
