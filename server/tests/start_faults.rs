//! A server that the system does not let start leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(target_os = "linux")]

use std::{fs, net::UdpSocket, num::NonZeroUsize};

use hola_webrtc_server::RtcServer;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// How many files the process has open, and how many threads.
fn held() -> (usize, usize) {
    let count = |folder: &str| fs::read_dir(folder).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

/// The limit is the process's, so this test has one to itself.
#[test]
fn wherever_the_start_fails_for_want_of_files_the_files_and_threads_so_far_are_gone() {
    const WORKERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();
    let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    // What tokio opens once for the whole process, it does not live without.
    drop(tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    let before = held();
    let mut failures = 0;
    loop {
        setrlimit(Resource::RLIMIT_NOFILE, (before.0 + failures) as u64, hard).unwrap();
        let started = RtcServer::builder().listen(address).workers(WORKERS).start();
        setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
        if started.is_ok() {
            break;
        }
        assert_eq!(held(), before, "with room for {failures} more files");
        failures += 1;
        assert!(failures < 1000, "{started:?}");
    }
    // A socket and what watches it, for each worker.
    assert!(failures > 2 * WORKERS.get(), "{failures}");
}
