//! The processes of a browser, as Linux lists them.

use std::{
    collections::HashSet,
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use xtask::process::POLL;

/// How long killed processes may take to go.
const GRACE: Duration = Duration::from_secs(5);

/// A process, as it stands in `/proc/…/stat` (`man proc_pid_stat`).
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    id: u32,
    parent: u32,
    /// Whether it has ended, and only its parent has not looked yet.
    is_dead: bool,
}

/// Kills all that a process has started, and what these have, until nothing is left of it; says how many there were.
pub(crate) fn kill_descendants(ancestor: u32) -> Result<usize> {
    let deadline = Instant::now() + GRACE;
    let mut family = HashSet::from([ancestor]);
    loop {
        let entries = living()?;
        // Also what was started since the last look, by who was orphaned since as well.
        family.extend(descendants(&entries, &family));
        let is_left = |entry: &&Entry| entry.id != ancestor && family.contains(&entry.id);
        let left: Vec<String> = entries.iter().filter(is_left).map(|entry| entry.id.to_string()).collect();
        if left.is_empty() {
            return Ok(family.len() - 1);
        }
        ensure!(Instant::now() < deadline, "the browser does not die");
        // One that has ended meanwhile is none to complain of.
        Command::new("kill").arg("-KILL").args(left).output()?;
        thread::sleep(POLL);
    }
}

fn living() -> Result<Vec<Entry>> {
    // A process may end while it is read.
    let stats = fs::read_dir("/proc")?.flatten().filter_map(|entry| {
        let is_process = entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        is_process.then(|| fs::read_to_string(entry.path().join("stat")).ok())?
    });
    Ok(stats.filter_map(|stat| parse(&stat)).filter(|entry| !entry.is_dead).collect())
}

/// Its name stands in brackets, and may have blanks and brackets itself.
fn parse(stat: &str) -> Option<Entry> {
    let (before, after) = stat.rsplit_once(')')?;
    let id = before.split(' ').next()?.parse().ok()?;
    let mut fields = after.split_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    Some(Entry { id, parent: fields.next()?.parse().ok()?, is_dead })
}

fn descendants(entries: &[Entry], ancestors: &HashSet<u32>) -> Vec<u32> {
    let mut family = ancestors.clone();
    let mut found = Vec::new();
    loop {
        let is_new = |entry: &&Entry| family.contains(&entry.parent) && !family.contains(&entry.id);
        let children: Vec<u32> = entries.iter().filter(is_new).map(|entry| entry.id).collect();
        if children.is_empty() {
            return found;
        }
        family.extend(&children);
        found.extend(children);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let entry = |id, parent, is_dead| Some(Entry { id, parent, is_dead });
        assert_eq!(parse("12 (chrome) S 3 12 12 0"), entry(12, 3, false));
        assert_eq!(parse("12 (Web Content) (a) Z 3 12"), entry(12, 3, true));
        assert_eq!(parse("12"), None);
    }

    #[test]
    fn all_that_a_process_has_started_is_found_in_whatever_order_it_is_listed() {
        let entries = [(7, 5), (5, 1), (9, 7), (8, 2), (1, 0), (2, 0)];
        let entries = entries.map(|(id, parent)| Entry { id, parent, is_dead: false });
        let mut found = descendants(&entries, &HashSet::from([1]));
        found.sort_unstable();
        assert_eq!(found, [5, 7, 9]);
    }

    #[test]
    fn all_that_a_process_has_started_is_killed() -> Result<()> {
        let mut shell = Command::new("sh").args(["-c", "(sleep 60 & sleep 60 & wait) & wait"]).spawn()?;
        let deadline = Instant::now() + GRACE;
        while descendants(&living()?, &HashSet::from([shell.id()])).len() < 3 {
            ensure!(Instant::now() < deadline, "the shell starts nothing");
            thread::sleep(POLL);
        }
        let killed = kill_descendants(shell.id())?;
        let status = shell.wait()?;
        assert_eq!(killed, 3);
        // Itself is not.
        assert!(status.code().is_some(), "{status}");
        Ok(())
    }
}
