//! What a connection's handles, its task and its socket share.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant as TokioInstant, sleep_until},
};

use crate::{core::Core, port::Port};

/// How many batches are read before what they brought is dealt with.
const READS: usize = 4;

/// A connection. Everything that a handle does happens at once, on its thread; the task is for what comes by
/// itself: timers, and datagrams.
pub(crate) struct Link {
    state: Mutex<State>,
    /// Told when the connection has ended or a channel was offered.
    pub(crate) changed: Notify,
    /// Told when the task has to look again at how long to wait.
    task: Notify,
}

struct State {
    core: Core,
    /// `None` once the connection has ended.
    seat: Option<Seat>,
    /// When the task wakes.
    armed: Option<Instant>,
}

/// Where a connection has its socket.
#[derive(Clone)]
pub(crate) enum Seat {
    /// One of its own.
    Own(Arc<Port>),
    /// One among many, told apart by the local address.
    Shared(Arc<Exchange>, Ipv4Addr),
}

impl Seat {
    pub(crate) fn port(&self) -> &Port {
        match self {
            Self::Own(port) => port,
            Self::Shared(exchange, _) => &exchange.port,
        }
    }

    fn from(&self) -> Option<IpAddr> {
        match self {
            Self::Own(_) => None,
            Self::Shared(_, address) => Some((*address).into()),
        }
    }
}

impl Link {
    pub(crate) fn new(core: Core, seat: Seat) -> Arc<Self> {
        let state = State { core, seat: Some(seat.clone()), armed: None };
        let link = Arc::new(Self { state: Mutex::new(state), changed: Notify::new(), task: Notify::new() });
        if let Seat::Shared(exchange, address) = seat {
            lock(&exchange.links).insert(address.into(), Arc::downgrade(&link));
        }
        link
    }

    /// Does something with the connection, and sends what comes of it.
    pub(crate) fn act<T>(&self, action: impl FnOnce(&mut Core, Instant) -> T) -> T {
        let now = Instant::now();
        let mut state = lock(&self.state);
        let was_over = state.core.ended.is_some();
        let result = action(&mut state.core, now);
        let has_news = state.core.drive(now);
        let is_stuck = state.send();
        let has_ended = state.core.ended.is_some();
        let due = state.core.deadline(now);
        let is_late = due.is_some_and(|due| state.armed.is_none_or(|armed| due < armed));
        if has_ended
            && !is_stuck
            && let Some(Seat::Shared(exchange, address)) = state.seat.take()
        {
            lock(&exchange.links).remove(&address.into());
        }
        drop(state);
        if has_news || has_ended != was_over {
            self.changed.notify_waiters();
        }
        if has_ended || is_stuck || is_late {
            self.task.notify_one();
        }
        result
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let (seat, due, is_stuck) = {
                let now = Instant::now();
                let mut state = lock(&self.state);
                let Some(seat) = state.seat.clone() else { return };
                let due = state.core.deadline(now);
                state.armed = due;
                (seat, due, !state.core.outgoing.is_empty())
            };
            let is_own = matches!(seat, Seat::Own(_));
            tokio::select! {
                () = self.task.notified() => {}
                () = seat.port().readable(), if is_own => self.receive(seat.port()),
                () = seat.port().writable(), if is_stuck => self.act(|_, _| ()),
                () = sleep_until(due.map_or_else(far_future, TokioInstant::from_std)) => self.act(|_, _| ()),
            }
        }
    }

    fn receive(&self, port: &Port) {
        self.act(|core, now| {
            for _ in 0..READS {
                if !port.receive(|_, from, datagram| core.receive(now, from, datagram)) {
                    break;
                }
            }
        });
    }
}

impl State {
    /// Sends what there is. Returns whether something is left because the kernel takes no more.
    fn send(&mut self) -> bool {
        let Some(seat) = &self.seat else {
            self.core.outgoing.clear();
            return false;
        };
        while let Some(first) = self.core.outgoing.first_mut() {
            let taken = seat.port().send(seat.from(), first.to, &first.datagrams);
            if taken < first.datagrams.len() {
                first.datagrams.drain(..taken);
                return true;
            }
            self.core.outgoing.remove(0);
        }
        false
    }
}

/// One socket for many connections, each with an address of its own in 127.0.0.0/8.
pub(crate) struct Exchange {
    port: Arc<Port>,
    links: Mutex<HashMap<IpAddr, Weak<Link>>>,
    next: AtomicU32,
    task: Mutex<Option<AbortHandle>>,
}

impl Exchange {
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let port = Arc::new(Port::bind(Ipv4Addr::LOCALHOST.into(), true)?);
        // From 127.1.0.1 on: servers tend to have the first ones.
        let next = AtomicU32::new(0x0001_0001);
        let exchange =
            Arc::new(Self { port: port.clone(), links: Mutex::default(), next, task: Mutex::default() });
        let task = tokio::spawn(Self::run(port, Arc::downgrade(&exchange)));
        *lock(&exchange.task) = Some(task.abort_handle());
        Ok(exchange)
    }

    /// An address that no living connection has, and the port.
    pub(crate) fn take(self: &Arc<Self>) -> io::Result<(Seat, SocketAddr)> {
        let links = lock(&self.links);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed) % 0x00ff_ff00;
            let address = Ipv4Addr::from_bits(0x7f00_0000 | number);
            let is_taken = links.get(&address.into()).is_some_and(|link| link.strong_count() > 0);
            if !is_taken && number > 0xffff {
                let local = SocketAddr::new(address.into(), self.port.number()?);
                return Ok((Seat::Shared(self.clone(), address), local));
            }
        }
    }

    async fn run(port: Arc<Port>, exchange: Weak<Self>) {
        let mut touched: Vec<Arc<Link>> = Vec::new();
        loop {
            port.readable().await;
            let Some(exchange) = exchange.upgrade() else { return };
            let now = Instant::now();
            for _ in 0..READS {
                let received = port.receive(|local, from, datagram| {
                    let link =
                        local.and_then(|local| lock(&exchange.links).get(&local).and_then(Weak::upgrade));
                    let Some(link) = link else { return };
                    lock(&link.state).core.receive(now, from, datagram);
                    if touched.last().is_none_or(|last| !Arc::ptr_eq(last, &link)) {
                        touched.push(link);
                    }
                });
                if !received {
                    break;
                }
            }
            for link in touched.drain(..) {
                link.act(|_, _| ());
            }
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(task) = lock(&self.task).take() {
            task.abort();
        }
    }
}

fn far_future() -> TokioInstant {
    TokioInstant::now() + Duration::from_hours(1)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
