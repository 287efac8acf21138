//! The thread of an engine: waits for datagrams, timers, orders and handlers, and lets the core deal with
//! them. Handlers that are spawned through their session run on it as well.

use std::{io, ops::ControlFlow, sync::Arc, thread, time::Instant};

use hola_webrtc_protocol::SessionId;
use tokio::{
    runtime,
    sync::{mpsc, oneshot},
    time::sleep_until,
};

use super::{
    Bells, Core, Socket,
    socket::{Port, Received},
};
use crate::{
    server::{AnswerError, Answered, OfferContext},
    session::Session,
};

/// How many batches are read before what they brought is dealt with. More would delay replies, fewer would
/// send more acknowledgements.
const READS: usize = 8;

/// How many orders may wait; whoever gives more waits, too.
const ORDERS: usize = 64;

/// What the world outside wants from the engine.
pub(crate) enum Order {
    Answer {
        offer: String,
        context: OfferContext,
        reply: oneshot::Sender<Result<Answered, AnswerError>>,
    },
    Close {
        id: SessionId,
        reply: oneshot::Sender<bool>,
    },
    /// Ends every session and the worker.
    Stop {
        reply: oneshot::Sender<()>,
    },
}

pub(crate) struct Worker {
    core: Core,
    bells: Arc<Bells>,
    port: Port,
    orders: mpsc::Receiver<Order>,
    sessions: mpsc::Sender<Session>,
}

impl Worker {
    /// Starts the thread. It ends with the order to stop, or when nobody is left to give orders.
    pub(crate) fn start(
        mut core: Core,
        socket: Socket,
        sessions: mpsc::Sender<Session>,
    ) -> io::Result<mpsc::Sender<Order>> {
        let (sender, orders) = mpsc::channel(ORDERS);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        core.run_on(runtime.handle().clone());
        let port = {
            let _entered = runtime.enter();
            socket.watch()?
        };
        let worker = Self { bells: core.bells(), core, port, orders, sessions };
        thread::Builder::new()
            .name("hola-webrtc-engine".to_owned())
            .spawn(move || runtime.block_on(worker.run()))?;
        Ok(sender)
    }

    async fn run(mut self) {
        loop {
            let mut next = ControlFlow::Continue(());
            tokio::select! {
                () = self.port.readable() => {}
                () = self.bells.rang() => {}
                () = sleep_to(self.core.deadline()) => {}
                order = self.orders.recv() => match order {
                    Some(order) => next = self.obey(order),
                    None => next = ControlFlow::Break(None),
                },
            }
            self.read();
            self.flush().await;
            if let ControlFlow::Break(reply) = next {
                self.core.close_all();
                self.flush().await;
                // Whoever waits may be gone.
                let _ = reply.map(|reply| reply.send(()));
                return;
            }
        }
    }

    /// Breaks with whoever wants to know that the worker has stopped, if it is to stop.
    fn obey(&mut self, order: Order) -> ControlFlow<Option<oneshot::Sender<()>>> {
        // Whoever gave the order may be gone; a session it will never hear of then ends by its timeout.
        match order {
            Order::Answer { offer, context, reply } => {
                let _ = reply.send(self.core.answer(Instant::now(), &offer, context));
            }
            Order::Close { id, reply } => {
                let closed = self.core.close(id);
                // Whoever hears of the end finds the session gone.
                self.core.flush(Instant::now());
                let _ = reply.send(closed);
            }
            Order::Stop { reply } => return ControlFlow::Break(Some(reply)),
        }
        ControlFlow::Continue(())
    }

    fn read(&mut self) {
        let Self { core, port, .. } = self;
        for _ in 0..READS {
            let now = Instant::now();
            if !port.receive(|received| note(core, now, received)) {
                break;
            }
        }
    }

    async fn flush(&mut self) {
        let now = Instant::now();
        self.core.flush(now);
        let datagrams = self.core.take_datagrams();
        let Self { core, port, .. } = self;
        port.send(&datagrams, |received| note(core, now, received)).await;
        for session in self.core.take_opened() {
            // Where nobody accepts sessions the dropped one closes itself.
            let _ = self.sessions.try_send(session);
        }
    }
}

fn note(core: &mut Core, now: Instant, received: Received) {
    match received {
        Received::Datagram(datagram) => core.receive(now, datagram),
        Received::Unreachable(remote) => core.unreachable(now, remote),
    }
}

async fn sleep_to(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
