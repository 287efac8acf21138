//! What the kernel knows of a process (proc(5)).

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use nix::unistd::{SysconfVar, sysconf};

/// A process.
#[derive(Clone, Debug)]
pub(crate) struct Process(PathBuf);

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

impl Process {
    /// The one with this id.
    pub(crate) fn of(id: u32) -> Self {
        Self(format!("/proc/{id}").into())
    }

    /// The one that asks.
    pub(crate) fn this() -> Self {
        Self("/proc/self".into())
    }

    /// How much of it is in memory, in KiB.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most that was ever in memory, in KiB.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// How many files it has open, sockets among them.
    pub(crate) fn files(&self) -> Result<usize> {
        Ok(fs::read_dir(self.0.join("fd"))?.count())
    }

    /// The processor time used so far, by all threads.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let stat = fs::read_to_string(self.0.join("stat"))?;
        // The name, in parentheses, may contain anything; `utime` is the 14th field, and the 12th after it.
        let (_, rest) = stat.rsplit_once(')').context("no name in stat")?;
        let ticks: Vec<u64> = rest.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
        let [user, system] = ticks[..] else { anyhow::bail!("no times in stat") };
        let second = sysconf(SysconfVar::CLK_TCK)?.context("no clock ticks")?;
        let time = |ticks: u64| Duration::from_millis(ticks * 1000 / second.unsigned_abs());
        Ok(Cpu { user: time(user), system: time(system) })
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(self.0.join("status"))?;
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
        assert!(this.files().unwrap() > 2);
        assert!(this.cpu().is_ok());
    }
}
