//! The thread of a worker: waits for datagrams, timers, orders and handlers, and lets the core deal with
//! them. Handlers that are spawned through their session run on it as well.

use std::{future::poll_fn, mem, net::SocketAddr, ops::ControlFlow, sync::Arc, task::Poll, time::Instant};

use hola_webrtc_protocol::SessionId;
use tokio::sync::{
    mpsc::{self, error::SendError},
    oneshot,
};

use super::{
    Bells, Core, Peer, Received, Registry,
    alarm::Alarm,
    core::Outbound,
    port::Port,
    quiet::Quiet,
    transit::{abandon, relocate},
};
use crate::{
    answer::IceCredentials,
    metrics::{Direction, Dropped},
    offer::AnswerError,
    session::Session,
};

/// How many batches are read before what they brought is dealt with. More would delay replies, fewer would
/// send more acknowledgements.
const READS: usize = 8;

/// How many datagrams may wait that came to the sockets of other workers. Beyond it they are dropped, as in a full
/// socket.
pub(super) const STRAYS: usize = 1024;

/// How many of them are taken in before what they brought is dealt with.
const STRAYS_AT_ONCE: usize = 64;

/// What the world outside wants from a worker. There are never more than there are sessions and requests.
pub(crate) enum Order {
    /// Drives a peer from now on.
    Adopt(Box<Peer>),
    /// Ends a session. If it does not live, the reply is dropped.
    Close { id: SessionId, reply: oneshot::Sender<()> },
    /// Restarts a session's ICE. If it does not live, the reply is dropped.
    RestartIce {
        id: SessionId,
        remote: IceCredentials,
        /// The addresses that the reply names.
        candidates: Arc<[SocketAddr]>,
        reply: oneshot::Sender<Result<IceCredentials, AnswerError>>,
    },
    /// Says that it is there.
    Ping { reply: oneshot::Sender<()> },
    /// Ends the sessions without an open channel.
    Drain,
    /// Ends every session and the worker.
    Stop { reply: oneshot::Sender<()> },
}

/// A way to a worker.
#[derive(Clone)]
pub(crate) struct Mailbox {
    pub(crate) orders: mpsc::UnboundedSender<Order>,
    /// Each with the number of the worker at whose socket it arrived.
    pub(super) strays: mpsc::Sender<(usize, Received)>,
}

impl Mailbox {
    /// Has the worker drive a peer. It comes back if the worker has stopped.
    pub(crate) fn adopt(&self, peer: Box<Peer>) -> Result<(), Box<Peer>> {
        self.orders.send(Order::Adopt(peer)).map_err(|SendError(order)| match order {
            Order::Adopt(peer) => peer,
            _ => unreachable!("it is the order that was given"),
        })
    }
}

pub(crate) struct Worker {
    number: usize,
    core: Core,
    registry: Arc<Registry>,
    bells: Arc<Bells>,
    port: Port,
    alarm: Alarm,
    orders: mpsc::UnboundedReceiver<Order>,
    strays: mpsc::Receiver<(usize, Received)>,
    workers: Arc<[Mailbox]>,
    sessions: mpsc::Sender<Session>,
    quiet: Quiet,
}

/// What a worker is made of.
pub(super) struct Parts {
    pub(super) core: Core,
    pub(super) registry: Arc<Registry>,
    pub(super) port: Port,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) strays: mpsc::Receiver<(usize, Received)>,
    pub(super) workers: Arc<[Mailbox]>,
    pub(super) sessions: mpsc::Sender<Session>,
    pub(super) quiet: Quiet,
}

impl Worker {
    pub(super) fn new(number: usize, parts: Parts) -> Self {
        let Parts { core, registry, port, orders, strays, workers, sessions, quiet } = parts;
        let bells = core.bells();
        let alarm = Alarm::default();
        Self { number, core, registry, bells, port, alarm, orders, strays, workers, sessions, quiet }
    }

    /// Works until the order to stop.
    pub(super) async fn run(mut self) {
        let mut next = ControlFlow::Continue(());
        while next.is_continue() {
            tokio::select! {
                () = self.port.readable() => {}
                () = self.bells.rang() => {}
                due = self.alarm.ring(self.core.deadline()) => self.registry.metrics().lag(due.elapsed()),
                Some(stray) = self.strays.recv() => {
                    self.obey_all(&mut next);
                    self.take_in(stray);
                }
                Some(order) = self.orders.recv() => next = self.obey(order),
                () = self.quiet.is_due() => self.quiet.act(),
            }
            // A peer has to be there before its datagrams are looked at.
            self.obey_all(&mut next);
            self.read();
            if self.core.deliver(Instant::now()) {
                // What the handlers reply leaves together with the acknowledgement of what they reply to.
                let_others_run().await;
            }
            self.flush().await;
            if self.quiet.note(Instant::now(), !self.core.is_empty()) {
                self.port.rest();
            }
        }
        self.core.close_all(Instant::now());
        self.flush().await;
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            if let Order::Adopt(peer) = order {
                abandon(&self.registry, peer);
            }
        }
        if let ControlFlow::Break(reply) = next {
            // Whoever waits may be gone.
            let _ = reply.send(());
        }
    }

    /// Takes in what came to other sockets, as many at once as a read of the own one may bring.
    fn take_in(&mut self, (socket, received): (usize, Received)) {
        self.core.receive(Instant::now(), socket, received);
        for _ in 1..STRAYS_AT_ONCE {
            let Ok((socket, received)) = self.strays.try_recv() else { break };
            self.core.receive(Instant::now(), socket, received);
        }
    }

    fn obey_all(&mut self, next: &mut ControlFlow<oneshot::Sender<()>>) {
        while next.is_continue()
            && let Ok(order) = self.orders.try_recv()
        {
            *next = self.obey(order);
        }
    }

    /// Breaks with whoever wants to know that the worker has stopped, if it is to stop.
    fn obey(&mut self, order: Order) -> ControlFlow<oneshot::Sender<()>> {
        let now = Instant::now();
        // Whoever gave the order may be gone.
        match order {
            Order::Adopt(peer) => self.core.adopt(peer),
            Order::Close { id, .. } | Order::RestartIce { id, .. } if !self.core.has(id) => {
                self.pass_on(id, order);
            }
            Order::Close { id, reply } => {
                self.core.close(now, id);
                // Whoever hears of the end finds the session gone.
                self.core.flush(now);
                let _ = reply.send(());
            }
            Order::RestartIce { id, remote, candidates, reply } => {
                if let Some(restarted) = self.core.restart_ice(now, id, remote, &candidates) {
                    let _ = reply.send(restarted);
                }
            }
            Order::Ping { reply } => drop(reply.send(())),
            Order::Drain => self.core.drain(now),
            Order::Stop { reply } => return ControlFlow::Break(reply),
        }
        ControlFlow::Continue(())
    }

    /// The session has gone to another worker since the order was given, or it has ended.
    fn pass_on(&self, id: SessionId, order: Order) {
        let worker = self.registry.resident(id).map(|resident| resident.worker());
        if let Some(worker) = worker.filter(|worker| *worker != self.number) {
            // A worker that has stopped drops its orders.
            let _ = self.workers[worker].orders.send(order);
        }
    }

    fn read(&mut self) {
        let Self { core, port, number, .. } = self;
        for _ in 0..READS {
            let now = Instant::now();
            if !port.receive(|received| core.receive(now, *number, received)) {
                break;
            }
        }
    }

    async fn flush(&mut self) {
        let now = Instant::now();
        self.core.flush(now);
        let Outbound { datagrams, opened, strays, leaving } = self.core.take_outbound();
        let metrics = self.registry.metrics().clone();
        let bytes = datagrams.iter().map(|datagram| datagram.bytes.len()).sum();
        metrics.datagrams(Direction::Out, datagrams.len(), bytes);
        for (worker, received) in strays {
            metrics.handed_over(1);
            // A full queue drops what comes, as a socket does.
            if self.workers[worker].strays.try_send((self.number, received)).is_err() {
                metrics.dropped(Dropped::HandOver);
            }
        }
        for (worker, peer) in leaving {
            relocate(&self.registry, peer, worker, |peer| self.workers[worker].adopt(peer));
        }
        let Self { core, port, number, .. } = self;
        let failed = port.send(&datagrams, |received| core.receive(now, *number, received)).await;
        for _ in 0..failed {
            metrics.dropped(Dropped::Send);
        }
        for session in opened {
            // Where nobody accepts sessions the dropped one closes itself.
            let _ = self.sessions.try_send(session);
        }
    }
}

/// Lets every task have its turn that is ready, without a look at the sockets as in `yield_now`.
async fn let_others_run() {
    let mut had_their_turn = false;
    poll_fn(|context| {
        if mem::replace(&mut had_their_turn, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
