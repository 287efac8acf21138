//! The READMEs' table.

use super::{
    comparison::{Section, find},
    markdown::{measured_on, table},
    words::Language,
};
use crate::peers::results::Results;

/// The rows of the README, which are those by which this project judges itself: by which offerer, what, and its number.
pub(super) const HEADLINES: [(&str, &str, &str, u32); 28] = [
    ("Chromium", "connect", "click-p50", 0),
    ("Chromium", "connect", "post-p50", 0),
    ("Chromium", "connect", "post-p90", 0),
    ("libwebrtc in Node", "connect", "post-p50", 0),
    ("libwebrtc in Node", "connect", "post-p90", 0),
    ("libdatachannel in Node", "connect", "post-p50", 0),
    ("libdatachannel in Node", "connect", "post-p90", 0),
    ("Chromium", "delayed", "round-trips", 50),
    ("Chromium with SNAP", "delayed", "round-trips", 50),
    ("native", "round-trip", "p50", 0),
    ("native", "round-trip", "p99", 0),
    ("native", "round-trip", "cpu-per-message", 0),
    ("native", "calls", "calls-per-message", 0),
    ("native", "allocations", "allocations-per-message", 0),
    ("native", "echo", "megabytes-per-second", 16),
    ("native", "echo", "megabytes-per-second", 64),
    ("libwebrtc in Node", "echo", "megabytes-per-second", 16),
    ("libwebrtc in Node", "echo", "megabytes-per-second", 64),
    ("native", "echo", "cpu-per-megabyte", 16),
    ("native", "echo", "cpu-per-megabyte", 64),
    ("native", "idle", "memory-per-connection", 0),
    ("native", "idle", "memory-per-closed", 0),
    ("native", "idle", "gone", 0),
    ("native", "growth", "grown-peak", 1024),
    ("native", "growth", "echoed", 1024),
    ("native", "unread", "grown-peak", 1024),
    ("native", "rate", "connections-per-second", 0),
    ("native", "rate", "cpu-per-connection", 0),
];

/// The table of the README in this language.
pub(super) fn headlines(results: &Results, sections: &[Section], language: Language) -> String {
    let setting = &results.setting;
    let rows = HEADLINES.iter().filter_map(|(offerer, measure, figure, number)| {
        let row = find(sections, offerer, measure, figure, *number).filter(|row| row.is_whole())?;
        let notes = [Some(language.offerer(offerer).to_owned()), language.rounds(setting, row)];
        let notes = notes.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Some((format!("{} ({notes})", language.label(row)), row))
    });
    let table = table(setting, rows, language);
    format!("{}\n{table}\n{}", measured_on(results, language), language.legend())
}
