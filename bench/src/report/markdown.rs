//! The report's text.

use std::fmt::Write;

use hola_webrtc_server::Limits;

use super::{
    comparison::{Row, Section},
    stats::{Better, Summary},
    words::Language,
};
use crate::peers::{
    results::{Record, Results, Setting},
    sizes::Size,
};

/// Our own column.
const OURS: &str = "hola-webrtc";

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
- The offerers' own ceilings. libwebrtc in Node reads one datagram at a time on one thread: its echo; and of its connections \
the slowest wait in its own call that sets the answer. Browsers and Node hand each message to JavaScript: their round trips \
and their echo. The native one makes a datagram and a system call of each message while its window is open: 1 KiB to the \
server. Under loss whatever the offerer has to send again waits for 400 ms: the 99th of 100 round trips.
- Crowds, memory and counts are measured by the native offerer alone, because it costs least; loss by libwebrtc, because it \
sends again as soon as browsers do.
- Ours, str0m and webrtc-rs are built alike (`opt-level` 3, `lto = \"thin\"`, one codegen unit). Ours has jemalloc, they the \
system's allocator: with jemalloc neither's time nor memory changed by more than a tenth.
- Gone after the close: ours by its own count of sessions, the others by their sockets of UDP, where each connection has one; \
a dash also if it took more than 2 s.
- Memory while a gibibyte is echoed: for 20 s at most, and the table says how much that was. Who reads late sends as much as \
is taken and reads nothing for 3 s, so that every buffer is full, and reads on then. str0m's and Node's answerers go on reading \
meanwhile, so that what waits is theirs to hold, not their libraries'.
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
        text += &table(
            &results.setting,
            section.rows.iter().map(|row| (label(&results.setting, row), row)),
            Language::English,
        );
        text.push('\n');
    }
    text += &failures(results);
    text
}

fn introduction(results: &Results) -> String {
    let setting = &results.setting;
    let mut text = String::from(
        "Written by `cargo xtask bench`, and by nothing else. Every peer is a minimal echo in a process of its own, \
         started anew for each measurement; every round visits all of them. A cell has the median of the rounds, in \
         parentheses its ratio to the best of the row (which is bold), and after ± half of what lies between the least \
         and the most, in per cent of the median.\n\n\
         What goes only to the server, or only comes from it, is measured on the library, because the program echoes. \
         The program speaks HTTPS, the other peers HTTP. Throughput has the offerer's own ceiling in it.\n\n",
    );
    text += LIMITS;
    text += &most_of_session();
    text += &measured_on(results, Language::English);
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

/// What our figure of full buffers is to be measured by.
fn most_of_session() -> String {
    let mebibytes = Limits::default().most_of_session() as f64 / 1024.0 / 1024.0;
    let with_tenth = mebibytes * 1.1;
    format!(
        "- What one session of hola-webrtc may hold, as configured: {mebibytes:.2} MiB of messages in its send and receive \
         buffers; with 10 % {with_tenth:.2} MiB.\n\n"
    )
}

pub(super) fn measured_on(results: &Results, language: Language) -> String {
    let setting = &results.setting;
    let fact = |name: &str| setting.machine.get(name).map_or("unknown", String::as_str);
    let (processor, cores, kernel, rounds) =
        (fact("processor"), fact("cores"), fact("kernel"), setting.rounds);
    let ending = if rounds == 1 { "" } else { "s" };
    let is_cut = results.records.iter().any(Record::is_untaken);
    match language {
        Language::English => {
            let scale = if setting.quick { ", quick (few of everything)" } else { "" };
            let cut = " at most, cut short: rows for which the time was over are left out or say so";
            let cut = if is_cut { cut } else { "" };
            format!(
                "{processor}, {cores} cores, Linux {kernel}; loopback; medians of {rounds} round{ending}{cut}{scale}.\n"
            )
        }
        Language::Spanish => {
            let cut = " como mucho; faltan las filas para las que no quedó tiempo";
            let cut = if is_cut { cut } else { "" };
            format!(
                "{processor}, {cores} núcleos, Linux {kernel}; loopback; medianas de {rounds} ronda{ending}{cut}.\n"
            )
        }
    }
}

/// A row's name in the report.
fn label(setting: &Setting, row: &Row) -> String {
    let label = Language::English.label(row);
    match Language::English.rounds(setting, row) {
        Some(rounds) => format!("{label} ({rounds})"),
        None => label,
    }
}

pub(super) fn table<'a>(
    setting: &Setting,
    rows: impl Iterator<Item = (String, &'a Row)>,
    language: Language,
) -> String {
    let names: Vec<&str> = setting.peers.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = format!(
        "| | {} | {} |\n|---|{}\n",
        names.join(" | "),
        language.ratio(),
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
