//! A session, from its start to its end.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};

use js_sys::Object;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{RtcDataChannel, RtcDataChannelInit, RtcPeerConnection};

use super::{
    host::{Chosen, Host},
    plain,
};
use crate::{
    Closed, ConnectOptions, Connecting, Connection, ConnectionState, Gate, Gathering, Step, TraceEvent,
    channel::ChannelCore, observer::Observer,
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
}

#[wasm_bindgen]
impl Core {
    /// Nothing happens before [`start`](Self::start).
    #[wasm_bindgen(constructor)]
    pub fn new(url: String, label: String, channel: RtcDataChannelInit, chosen: &Chosen, host: Host) -> Self {
        let progress = Rc::new(Progress {
            host: host.clone(),
            connecting: RefCell::default(),
            connection: RefCell::default(),
            channels: RefCell::default(),
        });
        let mut options = ConnectOptions::default()
            .configuration(chosen.configuration())
            .label(label)
            .channel_init(channel)
            .deadline(millis(chosen.deadline()))
            .patience(millis(chosen.patience()))
            .observer(Rc::clone(&progress) as Rc<dyn Observer>);
        options.language = chosen.language();
        options.token = chosen.token();
        if let Some(deadline) = chosen.gathering() {
            options.gathering = Gathering::Complete { deadline: millis(deadline) };
        }
        if host.gate().is_some() {
            options.gate = Some(Gate::new(move |step: Step| {
                let passed = JsFuture::from(host.pass(step.label()));
                async move {
                    // The host's promise does not reject.
                    let _ = passed.await;
                }
            }));
        }
        progress.connecting.replace(Some(crate::connect(url, options)));
        Self(progress)
    }

    /// Takes the steps.
    pub fn start(&self) {
        spawn_local(connect(Rc::clone(&self.0)));
    }

    /// Ends it, wherever it is.
    pub fn close(&self) {
        self.0.connecting.take();
        if let Some(connection) = self.0.connection.take() {
            connection.close();
        }
        self.0.channels.take();
    }

    /// The session's name on the server, if it named one.
    #[wasm_bindgen(getter, js_name = sessionId)]
    pub fn session_id(&self) -> Option<String> {
        self.0.connection.borrow().as_ref()?.session_id().map(|id| id.to_string())
    }

    /// How the connection is.
    #[wasm_bindgen(getter)]
    pub fn state(&self) -> String {
        let state = match self.0.connection.borrow().as_ref().map(Connection::state) {
            None => "connecting",
            Some(ConnectionState::Connected) => "connected",
            Some(ConnectionState::Disconnected) => "disconnected",
            Some(ConnectionState::Closed) => "closed",
        };
        state.to_owned()
    }

    /// The browser's peer connection, while there is one.
    #[wasm_bindgen(getter, js_name = peerConnection)]
    pub fn peer_connection(&self) -> Option<RtcPeerConnection> {
        Some(self.0.connection.borrow().as_ref()?.raw().clone())
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

    /// The largest message that the other side takes, in bytes, if there is a limit.
    #[wasm_bindgen(js_name = maxMessageSize)]
    pub fn max_message_size(&self) -> Option<u32> {
        self.0.connection.borrow().as_ref()?.channel().max_message_size()
    }

    /// Sends a message of this size, or gives what the error is made of.
    pub fn send(&self, channel: &RtcDataChannel, data: &JsValue, size: f64) -> Option<Object> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size in memory")]
        let sent = self.0.find(channel)?.send_value(data, size as usize);
        Some(plain::send_error(&sent.err()?))
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
        self.channels.borrow().iter().find(|channel| AsRef::<JsValue>::as_ref(channel.raw()) == raw).cloned()
    }
}

impl Observer for Progress {
    fn recorded(&self, event: &TraceEvent) {
        self.host.traced(&plain::event(event));
    }

    fn made(&self, channel: &Rc<ChannelCore>) {
        self.keep(Rc::clone(channel));
        self.host.channel(channel.raw());
    }

    fn incoming(&self, channel: Rc<ChannelCore>) {
        let raw = channel.raw().clone();
        self.keep(channel);
        self.host.incoming(&raw);
    }

    fn changed(&self) {
        self.host.changed();
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

/// Takes the steps. Ends with [`Progress::connecting`], which `close` takes away.
async fn connect(progress: Rc<Progress>) {
    let outcome = poll_fn(|context| match &mut *progress.connecting.borrow_mut() {
        Some(connecting) => Pin::new(connecting).poll(context).map(Some),
        None => Poll::Ready(None),
    });
    let outcome = outcome.await;
    progress.connecting.take();
    match outcome {
        Some(Ok(connection)) => {
            progress.connection.replace(Some(connection));
            progress.host.opened();
        }
        Some(Err(error)) => progress.host.ended("failure", Some(plain::error(&error))),
        None => {}
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn millis(number: f64) -> Duration {
    Duration::from_millis(number as u64)
}
