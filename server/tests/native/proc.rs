//! What the kernel knows of a process.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A process, as `/proc` shows it.
#[derive(Debug)]
pub(crate) struct Process(PathBuf);

impl Process {
    /// The one that asks.
    pub(crate) fn this() -> Self {
        Self("/proc/self".into())
    }

    /// The one with this id.
    pub(crate) fn of(id: u32) -> Self {
        Self(format!("/proc/{id}").into())
    }

    /// How many files it has open, sockets and timers among them.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(self.0.join("fd")).unwrap().count()
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(self.0.join("task")).unwrap().count()
    }

    /// How much of it is in memory, in KiB.
    pub(crate) fn resident_kib(&self) -> usize {
        field(&self.0, "VmRSS:")
    }
}

/// A thread of this process.
#[derive(Debug)]
pub(crate) struct Thread(PathBuf);

impl Thread {
    /// Those of this name, of which the kernel keeps 15 bytes.
    pub(crate) fn named(name: &str) -> Vec<Self> {
        let threads = fs::read_dir("/proc/self/task").unwrap().flatten().map(|entry| entry.path());
        let is_named =
            |path: &PathBuf| fs::read_to_string(path.join("comm")).is_ok_and(|it| it.trim() == name);
        threads.filter(is_named).map(Self).collect()
    }

    /// How often it has gone to sleep by itself, and so been woken.
    pub(crate) fn voluntary_switches(&self) -> usize {
        field(&self.0, "voluntary_ctxt_switches:")
    }
}

fn field(folder: &Path, name: &str) -> usize {
    let status = fs::read_to_string(folder.join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
