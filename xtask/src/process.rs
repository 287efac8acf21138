//! Child processes that do not outlive us.

use std::{
    process::{self, Command, ExitStatus},
    sync::{
        Arc, Mutex, MutexGuard, Once, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use process_wrap::std::{ChildWrapper, CommandWrap, ProcessGroup};

/// How often a condition outside this process is looked at again.
pub const POLL: Duration = Duration::from_millis(50);

/// How long a process may take to end when asked.
const GRACE: Duration = Duration::from_secs(5);
/// The same number on every system.
const SIGTERM: i32 = 15;
/// What a shell reports for a program ended by Ctrl-C.
const EXIT_CODE: i32 = 130;

/// A running program with all the processes it started. They end when this is dropped, and when we are told to end.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
}

type Child = Arc<Shared>;
type Shared = Mutex<Box<dyn ChildWrapper>>;

impl Process {
    /// Starts `command` in a process group of its own; `name` is what messages call it.
    pub fn spawn(name: impl Into<String>, command: Command) -> Result<Self> {
        end_all_when_interrupted();
        let name = name.into();
        let program = command.get_program().to_owned();
        let child = CommandWrap::from(command)
            .wrap(ProcessGroup::leader())
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", program.display()))?;
        let child = Arc::new(Mutex::new(child));
        let mut running = lock(&RUNNING);
        running.retain(|process| process.strong_count() > 0);
        running.push(Arc::downgrade(&child));
        Ok(Self { name, child })
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the program itself.
    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Ends it without asking, with all the processes it started.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = lock(&self.child);
        child
            .start_kill()
            .and_then(|()| child.wait())
            .with_context(|| format!("cannot kill {}", self.name))?;
        Ok(())
    }

    /// How it ended, if it has by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let mut child = lock(&self.child);
        if INTERRUPTED.load(Ordering::Relaxed) {
            return Ok(None); // it was told to, and so are we
        }
        child.try_wait().with_context(|| format!("cannot ask how {} is", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.child);
    }
}

/// Every process that may still run, for the handler of Ctrl-C.
static RUNNING: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Whether we were told to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A process group of its own does not hear the terminal's Ctrl-C, so that it is passed on here.
fn end_all_when_interrupted() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let handler = || {
            INTERRUPTED.store(true, Ordering::Relaxed);
            lock(&RUNNING).iter().filter_map(Weak::upgrade).for_each(|child| end(&child));
            process::exit(EXIT_CODE);
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            eprintln!("Ctrl-C will leave processes behind: {error}");
        }
    });
}

/// Asks a process to end and waits until it has; one that takes too long is killed.
fn end(child: &Child) {
    let mut child = lock(child);
    let deadline = Instant::now() + GRACE;
    let asked = child.signal(SIGTERM).is_ok();
    while asked && Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(POLL);
    }
    // Also after a quiet end: what it started may still be there. A group that is gone is no error.
    let _ = child.start_kill();
    let _ = child.wait();
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::spawn("a script", command).unwrap()
    }

    fn lives(pid: u32) -> bool {
        Command::new("kill").args(["-0", &pid.to_string()]).output().unwrap().status.success()
    }

    #[test]
    fn a_dropped_process_is_gone() {
        let process = shell("exec sleep 60");
        let pid = process.id();
        assert!(lives(pid));
        drop(process);
        assert!(!lives(pid));
    }

    #[test]
    fn a_killed_process_is_not_asked() {
        let mut process = shell("trap '' TERM; exec sleep 60");
        let pid = process.id();
        process.kill().unwrap();
        assert!(!lives(pid));
    }

    #[test]
    fn how_a_process_ended_is_told() {
        let mut process = shell("exit 3");
        let deadline = Instant::now() + Duration::from_secs(10);
        let status = loop {
            if let Some(status) = process.ended().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline);
            thread::sleep(POLL);
        };
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = Process::spawn("the server", Command::new("/nowhere/server")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start the server (/nowhere/server)");
    }
}
