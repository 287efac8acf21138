//! What the figures were measured on, and with.

use std::{collections::BTreeMap, fs, thread};

use xshell::{Shell, cmd};
use xtask::browsers::{CHROMIUM, FIREFOX, Program};

/// The machine in words. What cannot be found out is left out.
pub(crate) fn describe(shell: &Shell) -> BTreeMap<String, String> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cores = thread::available_parallelism().ok().map(|cores| cores.to_string());
    let of = |program: &str| cmd!(shell, "{program} --version").quiet().ignore_stderr().read().ok();
    let browser = |program: &Program| {
        let program = program.find()?;
        cmd!(shell, "{program} --version").quiet().ignore_stderr().read().ok()
    };
    let facts = [
        ("processor", read("/proc/cpuinfo").and_then(|text| field(&text, "model name"))),
        ("cores", cores),
        ("memory", read("/proc/meminfo").and_then(|text| field(&text, "MemTotal"))),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("load average before", read("/proc/loadavg")),
        ("Rust", of("rustc")),
        ("Node.js", of("node")),
        ("Python", of("python3")),
        ("Go", cmd!(shell, "go version").quiet().ignore_stderr().read().ok()),
        ("Chromium", browser(&CHROMIUM)),
        ("Firefox", browser(&FIREFOX)),
    ];
    let known =
        facts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.trim().to_owned())));
    known.collect()
}
