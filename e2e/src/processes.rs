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

/// All that a process has started, and what these have.
pub(crate) fn descendants_of(ancestor: u32) -> Result<Vec<u32>> {
    Ok(descendants(&living()?, ancestor))
}

/// Kills these processes, and waits until they are gone.
pub(crate) fn kill(ids: &[u32]) -> Result<()> {
    // One that has ended meanwhile is none to complain of.
    Command::new("kill").arg("-KILL").args(ids.iter().map(u32::to_string)).output()?;
    let deadline = Instant::now() + GRACE;
    while living()?.iter().any(|entry| ids.contains(&entry.id)) {
        ensure!(Instant::now() < deadline, "the browser does not die");
        thread::sleep(POLL);
    }
    Ok(())
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

fn descendants(entries: &[Entry], ancestor: u32) -> Vec<u32> {
    let mut family = HashSet::from([ancestor]);
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
        let mut found = descendants(&entries, 1);
        found.sort_unstable();
        assert_eq!(found, [5, 7, 9]);
    }
}
