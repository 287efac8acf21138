//! Counts a process' system calls: by `perf stat`, which costs it little, or by `strace -c`.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncReadExt, BufReader},
    process::{Child, ChildStderr, Command},
    time::{Duration, sleep, timeout},
};

use crate::proc::Process;

/// How long a tracer may take to attach itself, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A tracer at work.
#[derive(Debug)]
pub(crate) struct Tracer {
    child: Child,
    errors: BufReader<ChildStderr>,
}

impl Tracer {
    /// Attaches the first tracer that this system has and permits.
    pub(crate) async fn attach(process: &Process) -> Result<Self> {
        let id = process.id().to_string();
        let tracers: [&[&str]; 2] = [
            &["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", &id],
            &["strace", "-c", "-f", "-q", "-U", "calls,name", "-p", &id],
        ];
        for words in tracers {
            let command = Command::new(words[0])
                .args(&words[1..])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn();
            let Ok(mut child) = command else { continue };
            // Neither says when it is ready.
            sleep(Duration::from_secs(1)).await;
            if child.try_wait()?.is_some() {
                continue;
            }
            let errors = BufReader::new(child.stderr.take().context("no output")?);
            return Ok(Self { child, errors });
        }
        bail!("neither perf nor strace may count system calls here")
    }

    /// How many there were.
    pub(crate) async fn detach(mut self) -> Result<u64> {
        let id = self.child.id().context("the tracer has ended")?;
        kill(Pid::from_raw(id.try_into()?), Signal::SIGINT)?;
        let mut text = String::new();
        timeout(PATIENCE, self.errors.read_to_string(&mut text))
            .await
            .context("the tracer does not end")??;
        counted(&text).with_context(|| format!("the tracer says: {text}"))
    }
}

/// The sum in what `perf stat -x,` or `strace -c` prints.
fn counted(text: &str) -> Option<u64> {
    let of_perf = text.lines().find(|line| line.contains("raw_syscalls:sys_enter"));
    let of_strace = text.lines().rev().find(|line| line.trim_end().ends_with("total"));
    let number = of_perf.and_then(|line| line.split(',').next());
    number.or_else(|| of_strace?.split_whitespace().next())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_either_tracer_is_understood() {
        assert_eq!(counted("1234,,raw_syscalls:sys_enter,567,100.00,,\n"), Some(1234));
        let strace = "    calls syscall\n--------- ----------------\n       20 recvmsg\n        9 sendmsg\n\
                      --------- ----------------\n       29 total\n";
        assert_eq!(counted(strace), Some(29));
        assert_eq!(counted("<not supported>,,raw_syscalls:sys_enter,0,100.00,,\n"), None);
        assert_eq!(counted("strace: attach: Operation not permitted\n"), None);
    }
}
