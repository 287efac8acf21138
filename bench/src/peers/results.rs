//! The raw results: a file of JSON lines, to which every measurement is added as soon as it is taken.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::Write,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::{figures::Figures, sizes::Size};

/// Why there is no figure of what a run had no time for.
pub(crate) const NOT_TAKEN: &str = "not taken: the time was over (--resume goes on)";

/// The first line: what all measurements have in common.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Setting {
    /// What the machine is, in words.
    pub(crate) machine: BTreeMap<String, String>,
    /// The peers that run here, in the report's order, each with its version.
    pub(crate) peers: Vec<(String, String)>,
    /// Those that do not, and why.
    pub(crate) absent: Vec<(String, String)>,
    pub(crate) quick: bool,
    /// Whether every peer, offerer and measure was asked for.
    pub(crate) whole: bool,
    pub(crate) rounds: u32,
    /// What a page loads.
    #[serde(default)]
    pub(crate) sizes: Vec<Size>,
}

/// Every other line: one measurement.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Record {
    pub(crate) round: u32,
    pub(crate) peer: String,
    pub(crate) offerer: String,
    pub(crate) measure: String,
    pub(crate) number: u32,
    /// Empty if it failed.
    #[serde(default)]
    pub(crate) figures: Figures,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(crate) setting: Setting,
    pub(crate) records: Vec<Record>,
}

/// A file that grows.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    done: HashSet<(u32, String, String, String, u32)>,
}

impl Results {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not understood", path.display()))
    }

    /// A last line that was cut off does not count.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let setting = serde_json::from_str(lines.next().context("it is empty")?)?;
        let records = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(Self { setting, records })
    }
}

impl Journal {
    /// Begins a file; what was there is kept under another name.
    pub(crate) fn begin(path: &Path, setting: &Setting) -> Result<Self> {
        if path.exists() {
            fs::rename(path, path.with_extension("previous.jsonl"))?;
        }
        let mut journal =
            Self { file: File::options().create(true).append(true).open(path)?, done: HashSet::new() };
        journal.write(setting)?;
        Ok(journal)
    }

    /// Goes on with a file that an earlier run did not finish. What failed there is tried again.
    pub(crate) fn resume(path: &Path, setting: &Setting) -> Result<Self> {
        let mut results = Results::read(path)?;
        let differences = results.setting.differences(setting);
        ensure!(
            differences.is_empty(),
            "{} has results of another kind ({}): begin anew without --resume",
            path.display(),
            differences.join(", ")
        );
        results.records.retain(|record| record.failure.is_none());
        let done = results.records.iter().map(Record::key).collect();
        // Written anew: without what failed, and without half a line.
        let mut journal = Self { file: File::create(path)?, done };
        journal.write(setting)?;
        results.records.iter().try_for_each(|record| journal.write(record))?;
        Ok(journal)
    }

    pub(crate) fn has(&self, record: &Record) -> bool {
        self.done.contains(&record.key())
    }

    pub(crate) fn add(&mut self, record: &Record) -> Result<()> {
        self.write(record)
    }

    fn write(&mut self, line: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_string(line)?;
        line.push('\n');
        Ok(self.file.write_all(line.as_bytes())?)
    }
}

impl Setting {
    /// What forbids results of both in one file: in words, what it was, and what it is now.
    fn differences(&self, now: &Self) -> Vec<String> {
        let version = |of: &Self, peer: &str| {
            of.peers.iter().find(|(name, _)| name == peer).map_or("left out".to_owned(), |(_, it)| it.clone())
        };
        let mut names: Vec<&str> =
            self.peers.iter().chain(&now.peers).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let changed = |name: &&str| version(self, name) != version(now, name);
        let told = |name: &str| format!("{name} was {}, and is {}", version(self, name), version(now, name));
        let mut all: Vec<String> = names.into_iter().filter(changed).map(told).collect();
        if all.is_empty() && self.peers != now.peers {
            all.push("the peers' order".to_owned());
        }
        if self.quick != now.quick {
            let scale = |is_quick| if is_quick { "quick" } else { "full" };
            all.push(format!("the scale was {}, and is {}", scale(self.quick), scale(now.quick)));
        }
        all
    }
}

impl Record {
    /// Whether its run had no time for it.
    pub(crate) fn is_untaken(&self) -> bool {
        self.failure.as_deref() == Some(NOT_TAKEN)
    }

    fn key(&self) -> (u32, String, String, String, u32) {
        (self.round, self.peer.clone(), self.offerer.clone(), self.measure.clone(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting() -> Setting {
        Setting {
            machine: BTreeMap::new(),
            peers: vec![("a".to_owned(), "1".to_owned())],
            absent: Vec::new(),
            quick: false,
            whole: true,
            rounds: 2,
            sizes: Vec::new(),
        }
    }

    fn record(round: u32, failure: Option<&str>) -> Record {
        Record {
            round,
            peer: "a".to_owned(),
            offerer: "native".to_owned(),
            measure: "echo".to_owned(),
            number: 16,
            figures: [("megabytes-per-second".to_owned(), 1.5)].into(),
            failure: failure.map(str::to_owned),
        }
    }

    #[test]
    fn an_interrupted_run_goes_on_where_it_was_and_tries_failures_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("raw.jsonl");
        let mut journal = Journal::begin(&path, &setting()).unwrap();
        journal.add(&record(1, None)).unwrap();
        journal.add(&record(2, Some("it hung"))).unwrap();
        drop(journal);
        File::options().append(true).open(&path).unwrap().write_all(b"{\"round\":3,").unwrap();

        let mut journal = Journal::resume(&path, &setting()).unwrap();
        assert!(journal.has(&record(1, None)));
        assert!(!journal.has(&record(2, None)));
        journal.add(&record(2, None)).unwrap();
        let results = Results::read(&path).unwrap();
        assert_eq!(results.records, [record(1, None), record(2, None)]);
    }

    #[test]
    fn results_of_other_versions_are_not_mixed_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("raw.jsonl");
        Journal::begin(&path, &setting()).unwrap();
        let other = Setting { peers: vec![("a".to_owned(), "2".to_owned())], ..setting() };
        let refused = Journal::resume(&path, &other).unwrap_err().to_string();
        assert!(refused.contains("(a was 1, and is 2)") && refused.contains("--resume"), "{refused}");
        let quick = Setting { quick: true, peers: Vec::new(), ..setting() };
        let refused = Journal::resume(&path, &quick).unwrap_err().to_string();
        assert!(
            refused.contains("(a was 1, and is left out, the scale was full, and is quick)"),
            "{refused}"
        );
    }

    #[test]
    fn an_earlier_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("raw.jsonl");
        Journal::begin(&path, &setting()).unwrap().add(&record(1, None)).unwrap();
        Journal::begin(&path, &setting()).unwrap();
        assert_eq!(Results::read(&path).unwrap().records.len(), 0);
        assert_eq!(Results::read(&path.with_extension("previous.jsonl")).unwrap().records.len(), 1);
    }
}
