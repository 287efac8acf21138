//! Tasks on the thread of a session.

use std::{fmt, sync::Arc};

use tokio::runtime::Handle;
use tracing::Instrument;

use super::Link;

/// Spawns tasks on the thread that does a session's I/O: there, handing messages over costs no switch between
/// threads. The tasks must not block: that would stop every session on the thread. Their log lines carry the session.
#[derive(Clone)]
pub struct Spawner {
    runtime: Option<Handle>,
    link: Arc<Link>,
}

impl Spawner {
    pub(super) fn new(runtime: Option<Handle>, link: Arc<Link>) -> Self {
        Self { runtime, link }
    }

    /// Runs the task in the background. It ends with the server at the latest.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = task.instrument(self.link.span.clone());
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(task)),
            None => drop(tokio::spawn(task)),
        }
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").field("session", &self.link.id).finish_non_exhaustive()
    }
}
