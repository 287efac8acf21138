//! What connections leave behind when they are over: nothing. Counted in `/proc` and by the runtimes.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
#[path = "native/offerer.rs"]
mod offerer;
#[path = "native/proc.rs"]
mod proc;
#[path = "native/stand.rs"]
mod stand;

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use common::{SOON, exchange_over, program::Program, request, serve};
use futures_util::future::join_all;
use hola_webrtc_protocol::CHAT_LABEL;
use hola_webrtc_server::{Limits, Message, RtcServer, echo};
use tokio::{
    runtime::{self, Handle},
    sync::oneshot,
    time::{sleep, timeout},
};

use self::{
    offerer::Offerer,
    proc::{Process, Thread},
    stand::{LOCALHOST, Stand, connect_to, within},
};

const GREETING_INTERVAL: Duration = Duration::from_secs(30);

/// How many connections the loops open and close.
const CONNECTIONS: usize = 200;

/// Longer than any timer of a live session waits.
const QUIET: Duration = Duration::from_millis(1500);

/// The name of the engine's thread; the kernel keeps 15 bytes.
const ENGINE: &str = "hola-webrtc-eng";
const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Runs the test while no other runs, not even with a runtime: they would be counted.
fn alone(test: impl Future<Output = ()>) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        // The server of the test before was dropped with its runtime, and its threads end by themselves.
        assert!(within(SOON, || Thread::named(ENGINE).is_empty()).await);
        test.await;
    });
}

/// A server in this process, with a view of the runtimes of its engine.
struct Site {
    stand: Stand,
    engine: Vec<Handle>,
}

#[derive(Debug, PartialEq, Eq)]
struct Count {
    sessions: usize,
    files: usize,
    /// Threads of the engine, and those it may have started. The tests' own come and go.
    engine_threads: usize,
    engine_tasks: usize,
    /// Those of HTTP, and of the offerers.
    other_tasks: usize,
}

impl Site {
    async fn start() -> Self {
        let mut limits = Limits::default();
        // All clients of this test have one address, and those of a wave that never connect live on for a while.
        limits.offers_per_second = 0;
        limits.max_sessions_per_address = limits.max_sessions;
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = RtcServer::builder().listen(listen).workers(WORKERS).limits(limits).start().unwrap();
        let http = serve(server.router()).await;
        let stand = Stand { server: server.clone(), http };
        let mut engine: Vec<Handle> = Vec::new();
        while engine.len() < WORKERS.get() {
            let mut offerer = Offerer::new(LOCALHOST).await;
            let _line = offerer.channel("any").await;
            let answer = stand.post(&offerer.offer().await).await;
            offerer.accept(&answer.sdp).await;
            // The kernel chooses the worker by the offerer's port.
            let session = server.accept().await.unwrap();
            let (sender, handle) = oneshot::channel();
            session.spawner().spawn(async { drop(sender.send(Handle::current())) });
            let handle = handle.await.unwrap();
            if engine.iter().all(|known| known.id() != handle.id()) {
                engine.push(handle);
            }
            offerer.close().await;
        }
        tokio::spawn(echo::serve(server, GREETING_INTERVAL));
        let site = Self { stand, engine };
        site.settled().await;
        site
    }

    fn count(&self) -> Count {
        let process = Process::this();
        Count {
            sessions: self.stand.server.session_count(),
            files: process.files(),
            engine_threads: Thread::named(ENGINE).len(),
            engine_tasks: self.engine_tasks(),
            other_tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// Tasks besides the workers themselves, each of which is one of its own runtime.
    fn engine_tasks(&self) -> usize {
        let all: usize = self.engine.iter().map(|engine| engine.metrics().num_alive_tasks()).sum();
        all - self.engine.len()
    }

    /// Waits until no session and no handler lives, and counts.
    async fn settled(&self) -> Count {
        self.stand.emptied_within(SOON).await;
        // The handlers end on the engine's thread, the offerers' drivers on this one.
        let is_idle = || self.engine_tasks() == 0;
        assert!(within(SOON, is_idle).await, "{:?}", self.count());
        self.count()
    }

    /// Asserts that everything is as it was, and that nothing wakes the engine any more.
    async fn assert_as(&self, before: &Count) {
        self.settled().await;
        within(SOON, || self.count() == *before).await;
        assert_eq!(self.count(), *before);

        let engine = Thread::named(ENGINE);
        let wakeups_so_far = || engine.iter().map(Thread::voluntary_switches).sum::<usize>();
        // The last datagrams of the last offerer may still be on their way.
        let calm = async {
            let mut wakeups = wakeups_so_far();
            loop {
                sleep(QUIET / 10).await;
                match wakeups_so_far() {
                    same if same == wakeups => return same,
                    more => wakeups = more,
                }
            }
        };
        let wakeups = timeout(SOON, calm).await.expect("the engine becomes idle");
        sleep(QUIET).await;
        assert_eq!(wakeups_so_far(), wakeups, "a timer is left");
    }

    /// Connects, says something, and ends the session in one of the ways in which sessions end.
    async fn visit(&self, number: usize) {
        let (offerer, line, answer) = self.stand.connect(CHAT_LABEL).await;
        line.next_text().await;
        line.assert_echoes(&[Message::Text("x".repeat(1200))]).await;
        match number % 3 {
            0 => {}
            1 => assert_eq!(self.stand.delete(answer.session).await, 204),
            _ => line.close().await,
        }
        offerer.close().await;
    }
}

#[test]
fn two_hundred_connections_in_a_row_leave_nothing() {
    alone(async {
        let site = Site::start().await;
        let before = site.count();
        for number in 0..CONNECTIONS {
            site.visit(number).await;
        }
        site.assert_as(&before).await;
    });
}

#[test]
fn waves_of_connections_at_the_same_time_and_offers_without_one_leave_nothing() {
    const WAVES: usize = 4;
    alone(async {
        let site = Site::start().await;
        let before = site.count();
        for _ in 0..WAVES {
            let visits = join_all((0..CONNECTIONS / WAVES).map(|number| site.visit(number)));
            let offers = join_all((0..CONNECTIONS / WAVES).map(|_| site.stand.post(common::OFFER)));
            tokio::join!(visits, offers);
        }
        site.assert_as(&before).await;
    });
}

#[test]
fn a_server_that_has_stopped_leaves_no_thread_and_no_file() {
    alone(async {
        let process = Process::this();
        let count = || (process.files(), Thread::named(ENGINE).len());
        let before = count();
        let site = Site::start().await;
        let (offerer, line, _) = site.stand.connect("any").await;
        let running = count();
        assert!(running.0 > before.0 && running.1 > before.1, "{running:?}");
        site.stand.server.shutdown().await;
        assert_eq!(line.next().await, None);
        offerer.close().await;
        drop(site);
        // What is left is the listener of HTTP, which is the test's.
        let after = (before.0 + 1, before.1);
        within(SOON, || count() == after).await;
        assert_eq!(count(), after);
    });
}

#[test]
fn the_program_keeps_neither_files_nor_threads_nor_memory() {
    const WAVES: usize = 5;
    const CLIENTS: usize = 20;
    /// What the allocator may take more, a wave: a fraction of what the sessions need while they live.
    const GROWTH_KIB: usize = 1024;
    alone(async {
        let program = Program::start(&[]).await;
        let process = Process::of(program.child.id().unwrap());
        let count = || (process.files(), process.threads());
        let before = count();
        let mut memory = Vec::new();
        for _ in 0..WAVES {
            for (offerer, line, answer) in join_all((0..CLIENTS).map(|_| connect_to(&program, "any"))).await {
                line.assert_echoes(&[Message::Binary(vec![7; 65_536].into())]).await;
                offerer.close().await;
                let delete = request(&format!("DELETE /sessions/{}", answer.session), &[], "");
                // Either its end is known already, or this is it.
                let status = exchange_over(program.connect("http/1.1").await, &delete).await.status;
                assert!([204, 404].contains(&status), "{status}");
            }
            within(SOON, || count() == before).await;
            assert_eq!(count(), before);
            memory.push(process.resident_kib());
        }
        // The first wave also fills what is kept: pools, tables, the allocator's reserves.
        let growth = memory[WAVES - 1].saturating_sub(memory[0]);
        assert!(growth < GROWTH_KIB * (WAVES - 1), "KiB after each wave: {memory:?}");
    });
}
