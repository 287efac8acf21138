//! The report's text.

use std::fmt::Write;

use super::{
    comparison::{Row, Section, find},
    stats::{Better, Summary},
};
use crate::peers::{
    results::{Record, Results, Setting},
    sizes::Size,
};

/// Our own column.
const OURS: &str = "hola-webrtc";

/// The rows of the README, which are those by which this project judges itself: by which offerer, what, and its number.
pub(super) const HEADLINES: [(&str, &str, &str, u32); 26] = [
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
    ("native", "growth", "grown-peak", 1024),
    ("native", "growth", "echoed", 1024),
    ("native", "rate", "connections-per-second", 0),
    ("native", "rate", "cpu-per-connection", 0),
];

/// Why there are figures that a reader may miss.
const LIMITS: &str = "\
- A dash: it failed (below), or cannot be measured of that peer. \"Not taken\": the run had no time for it, and the row has no \
ratio of ours then.
- libwebrtc, libdatachannel and werift are Node.js processes, and the CPU time of JavaScript is in theirs; aiortc's has that of \
Python.
- Chromium with SNAP is Chromium with `--enable-features=WebRtcSctpSnap`: its offers say how SCTP begins, and an answer may too.
- The native offerer does not tell when it posts: its round trips of a connection are counted from the click.
- Allocations are counted where they pass through the system's allocator (by a library loaded before it; ours is then built \
without jemalloc) or where the runtime counts them (Go). JavaScript's and Python's engines do neither for every object.
- A stream of bytes and the client in a page are things that only this project has; the client is compared with JavaScript \
by hand, in turns on one page.
- Crowds, memory and counts are measured by the native offerer alone, because it costs least; loss by libwebrtc, because it sends again as soon as browsers do.
- Ours, str0m and webrtc-rs are built alike (`opt-level` 3, `lto = \"thin\"`, one codegen unit). Ours has jemalloc, they the \
system's allocator: with jemalloc neither's time nor memory changed by more than a tenth.
- Memory while a gibibyte is echoed: for 20 s at most, and the table says how much that was.

";

/// What a reader of the README's table has to know.
const LEGEND: &str = "\
In parentheses the ratio to the best of the row, which is bold. A dash: it failed, or cannot be measured of that peer; \
[the report](bench/report/report.md) says why. libwebrtc, libdatachannel and werift are Node.js processes, and the CPU time of \
JavaScript is in theirs; aiortc's has that of Python.
";

/// The whole report; `plots` are the names of the pictures beside it, with their titles.
pub(crate) fn report(results: &Results, sections: &[Section], plots: &[(String, String)]) -> String {
    let mut text = String::from("# Side by side\n\n");
    text += &introduction(results);
    for (file, title) in plots {
        let _ = write!(text, "![{title}]({file})\n\n");
    }
    text += &sizes(&results.setting);
    for section in sections {
        let _ = write!(text, "## Offerer: {}\n\n", section.offerer);
        text += &table(&results.setting, section.rows.iter().map(|row| (row.label(), row)));
        text.push('\n');
    }
    text += &failures(results);
    text
}

/// The README's table.
pub(crate) fn headlines(results: &Results, sections: &[Section]) -> String {
    let rows = HEADLINES.iter().filter_map(|(offerer, measure, figure, number)| {
        let row = find(sections, offerer, measure, figure, *number).filter(|row| row.is_whole())?;
        Some((format!("{} ({offerer})", row.label()), row))
    });
    let setting = &results.setting;
    format!("{}\n{}\n{LEGEND}", measured_on(results), table(setting, rows))
}

impl Row {
    fn label(&self) -> String {
        let label = self.quantity.label(self.number);
        if self.quantity.unit.is_empty() { label } else { format!("{label}, {}", self.quantity.unit) }
    }
}

fn introduction(results: &Results) -> String {
    let setting = &results.setting;
    let mut text = String::from(
        "Written by `cargo xtask bench peers`, and by nothing else. Every peer is a minimal echo in a process of its own, \
         started anew for each measurement; every round visits all of them. A cell has the median of the rounds, in \
         parentheses its ratio to the best of the row (which is bold), and after ± half of what lies between the least \
         and the most, in per cent of the median.\n\n\
         What goes only to the server, or only comes from it, is measured on the library, because the program echoes. \
         The program speaks HTTPS, the other peers HTTP. Throughput has the offerer's own ceiling in it.\n\n",
    );
    text += LIMITS;
    text += &measured_on(results);
    text += "\n| | |\n|---|---|\n";
    for (name, value) in &setting.machine {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    for (peer, version) in &setting.peers {
        let _ = writeln!(text, "| {peer} | {version} |");
    }
    for (peer, reason) in &setting.absent {
        let _ = writeln!(text, "| {peer} | left out: {} |", reason.replace(['\n', '|'], " "));
    }
    text.push('\n');
    text
}

fn measured_on(results: &Results) -> String {
    let setting = &results.setting;
    let fact = |name: &str| setting.machine.get(name).map_or("unknown", String::as_str);
    let scale = if setting.quick { ", quick (few of everything)" } else { "" };
    let cut = if results.records.iter().any(Record::is_untaken) {
        " at most, cut short: rows for which the time was over are left out or say so"
    } else {
        ""
    };
    format!(
        "{}, {} cores, Linux {}; loopback; medians of {} round{}{cut}{scale}.\n",
        fact("processor"),
        fact("cores"),
        fact("kernel"),
        setting.rounds,
        if setting.rounds == 1 { "" } else { "s" },
    )
}

fn table<'a>(setting: &Setting, rows: impl Iterator<Item = (String, &'a Row)>) -> String {
    let names: Vec<&str> = setting.peers.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = format!(
        "| | {} | ours to the best other |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len() + 1)
    );
    for (label, row) in rows {
        let best = row.best();
        let cells = row.summaries.iter().zip(&row.untaken);
        let cells: Vec<String> = cells
            .map(
                |(it, is_untaken)| if *is_untaken { "not taken".to_owned() } else { cell(it.as_ref(), best) },
            )
            .collect();
        let ratio = row.ratio().filter(|_| names[0] == OURS);
        let ratio = ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
        let _ = writeln!(text, "| {label} | {} | {ratio} |", cells.join(" | "));
    }
    text
}

fn cell(summary: Option<&Summary>, best: Option<f64>) -> String {
    let Some(summary) = summary else { return "–".to_owned() };
    let figure = figure(summary.median);
    let mut text = match best.and_then(|best| Better::ratio(summary.median, best)) {
        Some(1.0) => format!("**{figure}**"),
        Some(ratio) => format!("{figure} ({ratio:.2})"),
        None => figure,
    };
    if let Some(spread) = summary.spread() {
        let _ = write!(text, " ±{:.0} %", spread / 2.0);
    }
    text
}

/// Three digits.
fn figure(value: f64) -> String {
    match value.abs() {
        0.0..0.1 => format!("{value:.3}"),
        0.1..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// What a page loads.
fn sizes(setting: &Setting) -> String {
    let mut text = String::new();
    if !setting.sizes.is_empty() {
        text += "## What a page loads\n\n| | bytes | after gzip -9 |\n|---|---|---|\n";
        for Size { name, bytes, compressed } in &setting.sizes {
            let _ = writeln!(text, "| {name} | {bytes} | {compressed} |");
        }
        text.push('\n');
    }
    text
}

/// What has no figure, and why: each reason once.
fn failures(results: &Results) -> String {
    let mut reasons: Vec<(&str, &str, &str, Vec<String>)> = Vec::new();
    for record in &results.records {
        let Some(failure) = &record.failure else { continue };
        let what = match record.number {
            0 => format!("{} (round {})", record.measure, record.round),
            number => format!("{} {number} (round {})", record.measure, record.round),
        };
        let same = reasons.iter_mut().find(|(peer, offerer, reason, _)| {
            (*peer, *offerer, *reason) == (&*record.peer, &*record.offerer, &**failure)
        });
        match same {
            Some((.., all)) => all.push(what),
            None => reasons.push((&record.peer, &record.offerer, failure, vec![what])),
        }
    }
    let mut text = String::new();
    if !reasons.is_empty() {
        text += "## What has no figure\n\n";
    }
    for (peer, offerer, reason, all) in reasons {
        let reason = reason.replace('\n', " ");
        let _ = writeln!(text, "- {peer} by {offerer}: {reason}. Concerns {}.", all.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([0.012, 1.234, 56.78, 1234.5].map(figure), ["0.012", "1.23", "56.8", "1234"]);
    }

    #[test]
    fn a_cell_has_the_ratio_to_the_best_and_the_spread() {
        let summary = Summary { median: 3.0, least: 2.7, most: 3.3, rounds: 3 };
        assert_eq!(cell(Some(&summary), Some(2.0)), "3.00 (1.50) ±10 %");
        assert_eq!(cell(Some(&summary), Some(3.0)), "**3.00** ±10 %");
        assert_eq!(cell(None, Some(3.0)), "–");
    }
}
