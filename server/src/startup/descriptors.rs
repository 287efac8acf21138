//! File descriptors: each connection takes one.

/// Raises the soft limit of this process to its hard limit. The soft one is low for the sake of programs that use
/// `select`, which this one does not.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft < hard { setrlimit(Resource::RLIMIT_NOFILE, hard, hard) } else { Ok(()) }
    });
    if let Err(error) = raised {
        tracing::debug!("the limit of file descriptors stays as it is: {error}");
    }
}

#[cfg(not(unix))]
pub(crate) fn raise_limit() {}

/// Says so if this process cannot have that many connections.
#[cfg(unix)]
pub(crate) fn warn_if_fewer_than(connections: usize) {
    use nix::sys::resource::{Resource, getrlimit};

    /// Sockets, files and timers of the program itself.
    const OWN: u64 = 64;

    let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return };
    if limit < connections as u64 + OWN {
        tracing::warn!(
            limit,
            "the system grants too few file descriptors for --max-connections {connections}: raise the hard limit \
             (ulimit -Hn, LimitNOFILE= in systemd)"
        );
    }
}

#[cfg(not(unix))]
pub(crate) fn warn_if_fewer_than(_connections: usize) {}
