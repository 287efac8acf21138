//! What keeps a session connected: it asks the policy what to do, and does it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
};

use gloo_timers::callback::Timeout;
use hola_webrtc_protocol::{
    Step, TraceData, TraceEvent,
    reconnect::{Action, Event, Reconnect},
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use super::Shared;
use crate::{
    Backoff, Closed, Connecting, Connection, ConnectionState, RtcError, Trace,
    changes::Changes,
    channel_core::ChannelCore,
    clock,
    listener::Listener,
    object,
    observer::{Native, Observer},
    peer::Peer,
    sys,
};

/// What has happened, for the driver.
#[derive(Default)]
pub(super) struct Inbox {
    happened: RefCell<VecDeque<Happened>>,
    changes: Changes,
    is_closed: Cell<bool>,
    /// Moves with the session's state.
    pub(super) states: Changes,
}

enum Happened {
    /// As the policy knows it.
    Event(Event),
    /// The connection is over.
    Ended(Closed),
}

impl Inbox {
    fn push(&self, happened: Happened) {
        self.happened.borrow_mut().push_back(happened);
        self.changes.notify();
    }

    /// Nothing is to be done any more.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.changes.notify();
        self.states.notify();
    }
}

/// Who is told of all connections of a session.
struct Relay {
    trace: Trace,
    inbox: Rc<Inbox>,
    /// Whether the last that was told of a connection is that nothing comes.
    is_disconnected: Cell<bool>,
}

/// What happens on a connection goes into the session's trace, too.
pub(super) fn relay(trace: Trace, inbox: Rc<Inbox>) -> Rc<dyn Observer> {
    Rc::new(Relay { trace, inbox, is_disconnected: Cell::new(false) })
}

impl Observer for Relay {
    fn recorded(&self, trace: &Trace, event: TraceEvent) {
        self.trace.record(event.step, event.side, event.data.clone());
        Native.recorded(trace, event);
    }

    fn made(&self, peer: &Rc<Peer>, channel: &Rc<ChannelCore>) {
        Native.made(peer, channel);
    }

    fn adopted(&self, channel: &Rc<ChannelCore>) {
        Native.adopted(channel);
    }

    fn incoming(&self, peer: &Rc<Peer>, channel: Rc<ChannelCore>) {
        Native.incoming(peer, channel);
    }

    fn path_found(&self, peer: &Rc<Peer>) {
        Native.path_found(peer);
    }

    fn changed(&self, peer: &Rc<Peer>) {
        let is_disconnected = peer.connection_state() == ConnectionState::Disconnected;
        // An ICE restart has changes of its own, and is not to bring about the next.
        if !self.is_disconnected.replace(is_disconnected) && is_disconnected {
            self.inbox.push(Happened::Event(Event::Disconnected));
        }
        self.inbox.states.notify();
    }

    fn ended(&self, how: &Closed) {
        Native.ended(how);
    }
}

struct Driver {
    session: Weak<Shared>,
    inbox: Rc<Inbox>,
    policy: Reconnect,
    attempt: Option<Connecting>,
    timer: Option<Timeout>,
    /// How the last connection, or the last attempt at one, ended.
    last: Closed,
    _network: Listener,
}

/// Goes on from the first connection, until the session is over.
pub(super) fn start(session: &Rc<Shared>, first: &Connection, backoff: Backoff) {
    let mut driver = Driver {
        session: Rc::downgrade(session),
        inbox: Rc::clone(&session.inbox),
        policy: Reconnect::new(backoff),
        attempt: None,
        timer: None,
        last: Closed::Local,
        _network: network(&session.inbox),
    };
    driver.connected(session, first);
    spawn_local(poll_fn(move |context| driver.poll(context)));
}

/// Hears of the network: <https://html.spec.whatwg.org/multipage/system-state.html#browser-state>, and where there is such,
/// <https://wicg.github.io/netinfo/#connection-attribute>.
fn network(inbox: &Rc<Inbox>) -> Listener {
    let global = js_sys::global();
    let connection = object::property(&object::property(&global, "navigator"), "connection");
    let (inbox, used) = (Rc::downgrade(inbox), connection.clone());
    let mut last = object::text(&used, "type");
    let listener = Listener::new(move |event| {
        let event = match object::text(&event, "type").as_deref() {
            Some("offline") => Event::Offline,
            Some("online") => Event::Online,
            // It changes with each estimate of the network's speed, too.
            _ => {
                let present = object::text(&used, "type");
                if mem::replace(&mut last, present.clone()) == present {
                    return;
                }
                Event::NetworkChanged
            }
        };
        if let Some(inbox) = inbox.upgrade() {
            inbox.push(Happened::Event(event));
        }
    });
    listener.listen(global.unchecked_ref(), &["online", "offline"]);
    if connection.is_object() {
        listener.listen(connection.unchecked_ref(), &["change"]);
    }
    listener
}

impl Driver {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(session) = self.session.upgrade().filter(|_| !self.inbox.is_closed.get()) else {
                return Poll::Ready(());
            };
            if let Some(attempt) = &mut self.attempt
                && let Poll::Ready(outcome) = Pin::new(attempt).poll(context)
            {
                self.attempt = None;
                match outcome {
                    Ok(connection) => self.connected(&session, &connection),
                    Err(error) => self.inbox.push(Happened::Ended(Closed::Failed(error))),
                }
            }
            let happened = self.inbox.happened.borrow_mut().pop_front();
            let is_idle = happened.is_none();
            let action = match happened {
                Some(happened) => self.take(happened),
                None => self.policy.poll(now()),
            };
            match action {
                Some(action) => self.act(&session, action),
                None if is_idle => break,
                None => {}
            }
        }
        self.set_timer();
        self.inbox.changes.poll(context, || self.inbox.is_closed.get().then_some(()))
    }

    fn handle(&mut self, event: Event) -> Option<Action> {
        // The millisecond that has begun does not count, lest an attempt come too early.
        self.policy.handle(now() + 1, js_sys::Math::random(), event)
    }

    fn take(&mut self, happened: Happened) -> Option<Action> {
        let event = match happened {
            Happened::Event(event) => event,
            Happened::Ended(how) => {
                let event = match &how {
                    Closed::Local => Event::Closed,
                    // It may be about to start anew; if it does not want this client, it refuses the offer.
                    Closed::Remote => Event::Failed { retryable: self.has_channels(), retry_after: None },
                    Closed::Failed(error) => Event::Failed {
                        retryable: error.retryable() && self.has_channels(),
                        retry_after: retry_after(error),
                    },
                };
                self.last = how;
                event
            }
        };
        let action = self.handle(event);
        if event == Event::Closed
            && let Some(session) = self.session.upgrade()
        {
            session.end(Closed::Local);
        }
        action
    }

    /// Whether there is something to go on with.
    fn has_channels(&self) -> bool {
        self.session.upgrade().is_some_and(|session| session.slots().iter().any(|slot| !slot.is_over()))
    }

    fn act(&mut self, session: &Rc<Shared>, action: Action) {
        match action {
            Action::RestartIce => self.restart_ice(session),
            Action::Wait { number, wait } => {
                session.detach();
                #[expect(clippy::cast_precision_loss, reason = "a wait is far below 2^53 ms")]
                let wait = wait as f64;
                session.trace.client(Step::CreatePeerConnection, TraceData::Attempt { number, wait });
            }
            Action::Connect { .. } => self.attempt = Some((session.make)()),
            Action::GiveUp(_) => session.end(self.last.clone()),
        }
    }

    fn connected(&mut self, session: &Shared, connection: &Connection) {
        self.handle(Event::Connected);
        let (ended, inbox) = (connection.closed(), Rc::clone(&self.inbox));
        spawn_local(async move {
            let how = ended.await;
            inbox.push(Happened::Ended(how));
        });
        session.install(connection);
    }

    /// Whether it succeeds shows in the connection's state.
    fn restart_ice(&self, session: &Shared) {
        let Some(connection) = session.connection.borrow().clone() else { return };
        let (session, inbox) = (self.session.clone(), Rc::clone(&self.inbox));
        spawn_local(async move {
            let _ = connection.restart_ice().await;
            // Not a later connection's.
            if session
                .upgrade()
                .is_some_and(|session| session.connection.borrow().as_ref() == Some(&connection))
            {
                inbox.push(Happened::Event(Event::Restarted));
            }
        });
    }

    fn set_timer(&mut self) {
        self.timer = self.policy.due().map(|due| {
            let wait = u32::try_from(due.saturating_sub(now())).unwrap_or(u32::MAX);
            let inbox = Rc::downgrade(&self.inbox);
            sys::after(
                wait.min(i32::MAX.unsigned_abs()),
                Box::new(move || {
                    if let Some(inbox) = inbox.upgrade() {
                        inbox.changes.notify();
                    }
                }),
            )
        });
    }
}

fn retry_after(error: &RtcError) -> Option<u64> {
    Some(u64::try_from(error.retry_after()?.as_millis()).unwrap_or(u64::MAX))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn now() -> u64 {
    clock::now() as u64
}
