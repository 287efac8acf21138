//! What the kernel knows of a process (proc(5)).

use std::{collections::BTreeSet, fmt, fs, path::PathBuf, process, time::Duration};

use anyhow::{Context, Result};
use nix::{
    time::clock_getcpuclockid,
    unistd::{Pid, SysconfVar, sysconf},
};

use crate::table::mib;

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    id: u32,
    folder: PathBuf,
}

/// How much processor time was used, up to some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    /// What was used since an earlier look.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    /// Both kinds.
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }
}

/// How much is in memory, in KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resident {
    /// What the process has written: its heap and its stacks.
    pub(crate) anonymous: u64,
    /// Its code, as far as it was used, and other files.
    pub(crate) file: u64,
}

/// In MiB, with its parts.
impl fmt::Display for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { anonymous, file } = *self;
        write!(f, "{} ({} anonymous, {} files)", mib(anonymous + file), mib(anonymous), mib(file))
    }
}

impl Process {
    /// The one with this id.
    pub(crate) fn of(id: u32) -> Self {
        Self { id, folder: format!("/proc/{id}").into() }
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// The one that asks.
    pub(crate) fn this() -> Self {
        Self::of(process::id())
    }

    /// How much of it is in memory, in KiB.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// As [`Process::resident`], told apart by what it is.
    pub(crate) fn resident_parts(&self) -> Result<Resident> {
        // Shared memory counts as a file: it has none of its own.
        let file = self.status("RssFile:")? + self.status("RssShmem:")?;
        Ok(Resident { anonymous: self.status("RssAnon:")?, file })
    }

    /// The most that was ever in memory, in KiB.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// How many files it has open, sockets among them.
    pub(crate) fn files(&self) -> Result<usize> {
        Ok(fs::read_dir(self.folder.join("fd"))?.count())
    }

    /// How many sockets of UDP it has open.
    pub(crate) fn udp_sockets(&self) -> Result<usize> {
        let mut links = BTreeSet::new();
        for table in ["net/udp", "net/udp6"] {
            let text = fs::read_to_string(self.folder.join(table))?;
            let inodes = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9));
            links.extend(inodes.map(|inode| PathBuf::from(format!("socket:[{inode}]"))));
        }
        let files = fs::read_dir(self.folder.join("fd"))?.flatten();
        Ok(files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .filter(|link| links.contains(link))
            .count())
    }

    /// The processor time used so far, by all threads.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let stat = fs::read_to_string(self.folder.join("stat"))?;
        // The name, in parentheses, may contain anything; `utime` is the 14th field, and the 12th after it.
        let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
        let ticks: Vec<u64> = rest.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        let [user, system] = ticks[..] else { anyhow::bail!("no times in stat") };
        let second = sysconf(SysconfVar::CLK_TCK)?.context("no clock ticks")?;
        let time = |ticks: u64| Duration::from_millis(ticks * 1000 / second.unsigned_abs());
        Ok(Cpu { user: time(user), system: time(system) })
    }

    /// The same to the nanosecond, as one sum.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let clock = clock_getcpuclockid(Pid::from_raw(self.id.try_into()?))?;
        Ok(clock.now()?.into())
    }

    /// How often its threads gave up the processor or lost it. Threads that have ended do not count.
    pub(crate) fn switches(&self) -> Result<u64> {
        let mut switches = 0;
        for task in fs::read_dir(self.folder.join("task"))? {
            // A thread may end while it is looked at.
            let Ok(status) = fs::read_to_string(task?.path().join("status")) else { continue };
            let counts = status.lines().filter(|line| line.contains("voluntary_ctxt_switches:"));
            switches +=
                counts.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(switches)
    }

    /// Lets the peak be measured anew.
    pub(crate) fn reset_peak(&self) -> Result<()> {
        const PEAK: &str = "5";
        Ok(fs::write(self.folder.join("clear_refs"), PEAK)?)
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(self.folder.join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
        Ok(line.split_whitespace().next().context("no value")?.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_files_and_time() {
        let this = Process::this();
        assert!(this.resident().unwrap() > 0 && this.peak().unwrap() >= this.resident().unwrap() / 2);
        let parts = this.resident_parts().unwrap();
        assert!(
            parts.anonymous > 0 && parts.file > 0 && parts.to_string().contains(" anonymous, "),
            "{parts}"
        );
        assert!(this.files().unwrap() > 2);
        assert!(this.cpu().is_ok() && this.switches().is_ok());
        assert!(this.cpu_time().unwrap() > Duration::ZERO);
    }
}
