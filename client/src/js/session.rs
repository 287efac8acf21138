//! A session, from its start to its end.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use js_sys::Function;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{RtcDataChannel, RtcDataChannelInit};

use super::{
    host::{Chosen, Host},
    plain,
};
use crate::{
    Closed, ConnectOptions, Connecting, Connection, ConnectionState, Gate, Gathering, Step, Trace,
    TraceEvent, channel_core::ChannelCore, observer::Observer, peer::Peer,
};

/// A session. It does not end with the object, but when it is closed.
#[wasm_bindgen]
pub struct Core(Rc<Progress>);

/// How far it has come.
struct Progress {
    host: Host,
    connecting: RefCell<Option<Connecting>>,
    connection: RefCell<Option<Connection>>,
    /// As long as they are open, whether or not anyone holds them.
    channels: RefCell<Vec<Rc<ChannelCore>>>,
    closed: Cell<bool>,
}

#[wasm_bindgen]
impl Core {
    /// Begins to connect, in a later turn of the page. A negative time for gathering means not to wait for it.
    #[wasm_bindgen(constructor)]
    pub fn new(url: String, label: String, channel: RtcDataChannelInit, chosen: &Chosen, host: Host) -> Self {
        let progress = Rc::new(Progress {
            host: host.clone(),
            connecting: RefCell::default(),
            connection: RefCell::default(),
            channels: RefCell::default(),
            closed: Cell::default(),
        });
        let gathering = chosen.gathering();
        let options = ConnectOptions {
            gathering: if gathering < 0.0 {
                Gathering::Immediate
            } else {
                Gathering::Complete { deadline: millis(gathering) }
            },
            configuration: chosen.configuration(),
            label,
            channel,
            headers: chosen.headers(),
            deadline: millis(chosen.deadline()),
            patience: millis(chosen.patience()),
            gate: chosen.gated().then(|| gate(host)),
            observer: Rc::clone(&progress) as Rc<dyn Observer>,
        };
        progress.connecting.replace(Some(crate::connect(url, options)));
        spawn_local(connect(Rc::clone(&progress)));
        Self(progress)
    }

    /// Ends it, wherever it is.
    pub fn close(&self) {
        self.0.closed.set(true);
        self.0.connecting.take();
        if let Some(connection) = self.0.connection.take() {
            connection.close();
        }
        self.0.channels.take();
    }

    /// Makes another channel, or throws what the browser throws.
    #[wasm_bindgen(js_name = openChannel)]
    pub fn open_channel(&self, label: &str, init: &RtcDataChannelInit) -> Result<RtcDataChannel, JsValue> {
        let connection = self.0.connection.borrow();
        let connection = connection.as_ref().ok_or(JsValue::UNDEFINED)?;
        let channel = connection.open_raw(label, init)?;
        let raw = channel.raw().clone();
        self.0.keep(channel);
        Ok(raw)
    }

    /// Restarts ICE, and calls back with nothing, or with what the error is made of.
    #[wasm_bindgen(js_name = restartIce)]
    pub fn restart_ice(&self, done: Function) {
        if let Some(connection) = self.0.connection.borrow().clone() {
            spawn_local(async move {
                let error = connection.restart_ice_alone().await.err();
                let error = error.map_or(JsValue::UNDEFINED, |error| plain::error(&error).into());
                // The host does not throw.
                let _ = done.call1(&JsValue::UNDEFINED, &error);
            });
        }
    }

    /// Closes a channel; what waits is still sent.
    #[wasm_bindgen(js_name = closeChannel)]
    pub fn close_channel(&self, channel: &RtcDataChannel) {
        if let Some(channel) = self.0.find(channel) {
            channel.close();
        }
    }
}

impl Progress {
    fn keep(&self, channel: Rc<ChannelCore>) {
        let mut channels = self.channels.borrow_mut();
        channels.retain(|channel| !channel.is_closed());
        channels.push(channel);
    }

    fn find(&self, raw: &JsValue) -> Option<Rc<ChannelCore>> {
        self.channels.borrow().iter().find(|channel| channel.is(raw)).cloned()
    }
}

impl Observer for Progress {
    fn recorded(&self, _: &Trace, event: TraceEvent) {
        self.host.traced(&plain::event(&event));
    }

    fn made(&self, peer: &Rc<Peer>, channel: &Rc<ChannelCore>) {
        self.keep(Rc::clone(channel));
        self.host.made(channel.raw(), peer.raw());
    }

    fn adopted(&self, _: &Rc<ChannelCore>) {}

    fn incoming(&self, _: &Rc<Peer>, channel: Rc<ChannelCore>) {
        let raw = channel.raw().clone();
        self.keep(channel);
        self.host.incoming(&raw);
    }

    fn path_found(&self, _: &Rc<Peer>) {
        self.host.path_found();
    }

    fn changed(&self, peer: &Rc<Peer>) {
        self.host.changed(peer.connection_state() == ConnectionState::Disconnected);
    }

    fn ended(&self, how: &Closed) {
        // While it connects, its failure is told by the one who waits for it.
        if self.connection.borrow().is_some() {
            match how {
                Closed::Local => self.host.ended("local", None),
                Closed::Remote => self.host.ended("remote", None),
                Closed::Failed(error) => self.host.ended("failure", Some(plain::error(error))),
            }
        }
    }
}

/// Takes the steps, until `close`.
async fn connect(progress: Rc<Progress>) {
    let outcome = poll_fn(|context| {
        // Out of its place meanwhile: a step may call what the page has put in the place of `fetch`, and that may close.
        let Some(mut connecting) = progress.connecting.take() else { return Poll::Ready(None) };
        let outcome = Pin::new(&mut connecting).poll(context).map(Some);
        if progress.closed.get() {
            return Poll::Ready(None);
        }
        if outcome.is_pending() {
            progress.connecting.replace(Some(connecting));
        }
        outcome
    });
    let outcome = outcome.await;
    match outcome {
        Some(Ok(connection)) => {
            progress.connection.replace(Some(connection));
            progress.host.opened();
        }
        Some(Err(error)) => progress.host.ended("failure", Some(plain::error(&error))),
        None => {}
    }
}

fn gate(host: Host) -> Gate {
    Gate::new(move |step: Step| {
        let passed = JsFuture::from(host.gate(step.label()));
        async move {
            // The host's promise does not reject.
            let _ = passed.await;
        }
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn millis(number: f64) -> Duration {
    Duration::from_millis(number as u64)
}
