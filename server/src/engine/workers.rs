//! The start of the workers: of all, or of none.

use std::{
    io,
    panic::resume_unwind,
    sync::Arc,
    thread::{self, JoinHandle},
};

use futures_util::{FutureExt, future::join_all};
use tokio::{
    runtime::{self, Runtime},
    sync::{mpsc, oneshot},
};

use super::{
    Core, Mailbox, Order, Registry, Socket, Worker,
    quiet::Quiet,
    worker::{Parts, STRAYS},
};
use crate::session::Session;

/// What a thread does.
type Work = Box<dyn FnOnce() + Send>;

/// Starts a worker for each socket. They end with the order to stop. Each does what it is told to once it has no session
/// any more.
pub(crate) fn start(
    sockets: Vec<Socket>,
    registry: &Arc<Registry>,
    sessions: &mpsc::Sender<Session>,
    once_quiet: Option<fn()>,
) -> io::Result<Arc<[Mailbox]>> {
    // The system cuts names off after 15 bytes: a number would not show.
    let name = || "hola-webrtc-engine".to_owned();
    start_on(sockets, registry, sessions, once_quiet, |work| thread::Builder::new().name(name()).spawn(work))
}

fn start_on(
    sockets: Vec<Socket>,
    registry: &Arc<Registry>,
    sessions: &mpsc::Sender<Session>,
    once_quiet: Option<fn()>,
    mut spawn: impl FnMut(Work) -> io::Result<JoinHandle<()>>,
) -> io::Result<Arc<[Mailbox]>> {
    let mailboxes = sockets.iter().map(|_| {
        let (orders, order_receiver) = mpsc::unbounded_channel();
        let (strays, stray_receiver) = mpsc::channel(STRAYS);
        (Mailbox { orders, strays }, (order_receiver, stray_receiver))
    });
    let (workers, receivers): (Vec<_>, Vec<_>) = mailboxes.unzip();
    let workers: Arc<[Mailbox]> = workers.into();
    let ports = sockets.into_iter().map(|socket| {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let port = {
            let _entered = runtime.enter();
            socket.watch()?
        };
        Ok((runtime, port))
    });
    let ports: Vec<_> = ports.collect::<io::Result<_>>()?;
    let mut threads = Vec::with_capacity(ports.len());
    for (number, ((runtime, port), (orders, strays))) in ports.into_iter().zip(receivers).enumerate() {
        let mut core = Core::new(number, registry.clone());
        core.run_on(runtime.handle().clone());
        let (registry, workers, sessions) = (registry.clone(), workers.clone(), sessions.clone());
        let quiet = Quiet::new(once_quiet);
        let worker =
            Worker::new(number, Parts { core, registry, port, orders, strays, workers, sessions, quiet });
        let work: Work = Box::new(move || drive(&runtime, worker));
        threads.push(spawn(work));
    }
    let has_failed = threads.iter().any(Result::is_err);
    if has_failed {
        stop(&workers);
    }
    let mut failure = None;
    for thread in threads {
        match thread {
            // One that panicked has ended as well.
            Ok(thread) if has_failed => drop(thread.join()),
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(workers), Err)
}

/// Runs a worker to its end: as a task among those of the handlers, with which it takes turns. Between them and what
/// [`Runtime::block_on`] is given, tokio looks at the sockets each time.
fn drive(runtime: &Runtime, worker: Worker) {
    let worker = runtime.spawn(worker.run());
    if let Err(error) = runtime.block_on(worker)
        && let Ok(panic) = error.try_into_panic()
    {
        resume_unwind(panic);
    }
}

/// Has every worker do something. `false` once it is known that one of them has stopped.
pub(crate) fn order_all<O: Fn(oneshot::Sender<()>) -> Order>(
    workers: &[Mailbox],
    order: O,
) -> impl Future<Output = bool> + use<O> {
    let replies = workers.iter().map(|worker| {
        let (reply, done) = oneshot::channel();
        // One that has stopped drops the order, and with it the reply.
        let _ = worker.orders.send(order(reply));
        done
    });
    join_all(replies).map(|replies| replies.iter().all(Result::is_ok))
}

/// Tells the workers to stop, and does not wait for them.
pub(crate) fn stop(workers: &[Mailbox]) {
    for worker in workers {
        let (reply, _) = oneshot::channel();
        // One that has stopped takes no orders.
        let _ = worker.orders.send(Order::Stop { reply });
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Instant,
    };

    use super::*;
    use crate::limits::Limits;

    #[test]
    fn where_one_worker_cannot_start_none_is_left_running_and_the_port_is_free() {
        let registry = Arc::new(Registry::new(Limits::new(), Instant::now()));
        let (sender, mut sessions) = mpsc::channel(1);
        let (address, sockets) = Socket::bind("127.0.0.1:0".parse().unwrap(), 4).unwrap();
        let count = sockets.len();
        let (mut asked, ended) = (0, Arc::<AtomicUsize>::default());
        let started = start_on(sockets, &registry, &sender, None, |work| {
            asked += 1;
            if asked == count.min(3) {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            let ended = ended.clone();
            thread::Builder::new().spawn(move || {
                work();
                ended.fetch_add(1, Ordering::Relaxed);
            })
        });
        assert_eq!(started.err().map(|error| error.kind()), Some(io::ErrorKind::OutOfMemory));
        assert_eq!(ended.load(Ordering::Relaxed), count - 1);
        drop(sender);
        assert_eq!(sessions.try_recv().err(), Some(mpsc::error::TryRecvError::Disconnected));
        assert_eq!(Arc::strong_count(&registry), 1);
        Socket::bind(address, 4).unwrap();
    }
}
