//! The peer connection, with all that hangs on it, and its end.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use gloo_timers::callback::Timeout;
use hola_webrtc_protocol::{SessionId, Side, Step, TraceData};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcDataChannel, RtcDataChannelInit, RtcIceConnectionState};

use crate::{
    Closed, ConnectOptions, ConnectionState, EndSession, ErrorKind, RtcError, Trace,
    changes::Changes,
    channel::ChannelCore,
    connection::{Ending, Incoming},
    observe::{self, Listeners},
    observer::Observer,
    offer::ReadyToOffer,
    steps, sys,
};

/// A peer connection. It is closed with the last who holds it.
pub(crate) struct Peer {
    raw: sys::PeerConnection,
    trace: Trace,
    /// Moves with every state of the peer connection, its transports and its channels.
    pub(crate) changes: Changes,
    pub(crate) listeners: Listeners,
    /// Step 8 is done: from now on a failure is a loss.
    open: Cell<bool>,
    patience: Duration,
    patience_ends: RefCell<Option<Timeout>>,
    session: Cell<Option<SessionId>>,
    end_session: Cell<Option<EndSession>>,
    channels: RefCell<Vec<Weak<ChannelCore>>>,
    incoming: Rc<Incoming>,
    ending: Rc<Ending>,
    pub(crate) observer: Option<Rc<dyn Observer>>,
}

impl Peer {
    /// Step 1.
    pub(crate) fn new(options: &ConnectOptions, trace: &Trace) -> Result<Rc<Self>, RtcError> {
        const STEP: Step = Step::CreatePeerConnection;
        if !js_sys::Reflect::has(&js_sys::global(), &"RTCPeerConnection".into()).unwrap_or(false) {
            let cause = "this browser has no RTCPeerConnection";
            return Err(RtcError::new(STEP, ErrorKind::Unsupported, cause));
        }
        let raw = web_sys::RtcPeerConnection::new_with_configuration(&options.configuration)
            .map_err(|thrown| RtcError::js(STEP, &thrown))?;
        let peer = Rc::new(Self {
            raw: raw.unchecked_into(),
            trace: trace.clone(),
            changes: Changes::default(),
            listeners: Listeners::default(),
            open: Cell::new(false),
            patience: options.patience,
            patience_ends: RefCell::default(),
            session: Cell::default(),
            end_session: Cell::default(),
            channels: RefCell::default(),
            incoming: Rc::default(),
            ending: Rc::default(),
            observer: options.observer.clone(),
        });
        observe::peer_connection(&peer);
        Ok(peer)
    }

    /// Step 2.
    pub(crate) fn create_data_channel(
        self: &Rc<Self>,
        options: &ConnectOptions,
    ) -> Result<ReadyToOffer, RtcError> {
        let channel = self
            .make_channel(&options.label, &options.channel)
            .map_err(|thrown| RtcError::js(Step::CreateDataChannel, &thrown))?;
        if let Some(observer) = &self.observer {
            observer.made(&channel);
        }
        Ok(ReadyToOffer::new(Rc::clone(self), channel))
    }

    /// Makes a channel, or fails with what the browser throws.
    pub(crate) fn make_channel(
        self: &Rc<Self>,
        label: &str,
        options: &RtcDataChannelInit,
    ) -> Result<Rc<ChannelCore>, JsValue> {
        Ok(self.adopt(self.raw.try_create_data_channel(label, options)?))
    }

    /// Takes up a channel that the other side made.
    pub(crate) fn take_incoming(self: &Rc<Self>, raw: RtcDataChannel) {
        let channel = self.adopt(raw);
        match &self.observer {
            Some(observer) => observer.incoming(channel),
            None => self.incoming.push(channel),
        }
    }

    fn adopt(self: &Rc<Self>, raw: RtcDataChannel) -> Rc<ChannelCore> {
        let channel = ChannelCore::new(self, raw);
        let mut channels = self.channels.borrow_mut();
        channels.retain(|channel| channel.strong_count() > 0);
        channels.push(Rc::downgrade(&channel));
        channel
    }

    pub(crate) fn raw(&self) -> &sys::PeerConnection {
        &self.raw
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn ending(&self) -> &Rc<Ending> {
        &self.ending
    }

    pub(crate) fn incoming(&self) -> &Rc<Incoming> {
        &self.incoming
    }

    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.session.get()
    }

    /// From now on the other side is told of the end.
    pub(crate) fn set_session(&self, id: Option<SessionId>, end: Option<EndSession>) {
        self.session.set(id);
        self.end_session.set(end);
    }

    pub(crate) fn set_open(&self) {
        self.open.set(true);
    }

    pub(crate) fn state(&self) -> ConnectionState {
        if self.ending.is_reached() {
            ConnectionState::Closed
        } else if self.raw.ice_connection_state() == RtcIceConnectionState::Disconnected {
            ConnectionState::Disconnected
        } else {
            ConnectionState::Connected
        }
    }

    /// Looks for the end of an open connection, after a state has moved.
    pub(crate) fn judge(self: &Rc<Self>) {
        use RtcIceConnectionState::{Completed, Connected, Disconnected, Failed};
        if self.open.get() && !self.ending.is_reached() {
            let ice = self.raw.ice_connection_state();
            let channels_gone = self.channels_gone();
            let transport_gone = self.listeners.transports().is_closed();
            if ice == Failed || self.listeners.transports().is_failed() {
                self.lose("the connection was open, and failed");
            } else if matches!(ice, Connected | Completed) && (transport_gone || channels_gone) {
                self.end(&Closed::Remote);
            } else if transport_gone || channels_gone {
                self.lose("the connection was open, and its channels closed while nothing came any more");
            } else if ice == Disconnected {
                self.start_patience();
            } else {
                self.patience_ends.take();
            }
        }
        self.notify();
    }

    /// Something may have changed.
    fn notify(&self) {
        self.changes.notify();
        if let Some(observer) = &self.observer {
            observer.changed();
        }
    }

    /// The other side has closed a channel, and none is left.
    fn channels_gone(&self) -> bool {
        let channels = self.channels.borrow();
        let mut channels = channels.iter().filter_map(Weak::upgrade).peekable();
        let any_by_remote = Cell::new(false);
        channels.peek().is_some()
            && channels.all(|channel| {
                any_by_remote.set(any_by_remote.get() | channel.was_closed_by_remote());
                channel.is_closed()
            })
            && any_by_remote.get()
    }

    fn start_patience(self: &Rc<Self>) {
        let mut ends = self.patience_ends.borrow_mut();
        if ends.is_none() {
            let (weak, patience) = (Rc::downgrade(self), steps::millis(self.patience));
            *ends = Some(Timeout::new(patience, move || {
                if let Some(peer) = weak.upgrade() {
                    peer.lose(&format!(
                        "the connection was open, and has been disconnected for {patience} ms"
                    ));
                }
            }));
        }
    }

    /// Whether the connection is open, and the other side hears this one.
    fn is_live(&self) -> bool {
        use RtcIceConnectionState::{Completed, Connected};
        self.open.get() && matches!(self.raw.ice_connection_state(), Connected | Completed)
    }

    fn lose(&self, cause: &str) {
        self.end(&Closed::Failed(RtcError::new(Step::CheckConnectivity, ErrorKind::Lost, cause)));
    }

    /// Ends everything. The first end counts.
    pub(crate) fn end(&self, how: &Closed) {
        if !self.ending.set(how.clone()) {
            return;
        }
        let step = if self.open.get() { Some(Step::OpenChannel) } else { self.trace.last_step() };
        match (how, step) {
            (Closed::Failed(error), _) => {
                let failed = TraceData::Failed { phase: error.phase, message: error.to_string() };
                self.trace.client(error.step, failed);
            }
            (Closed::Local, Some(step)) => {
                self.trace.client(step, TraceData::Closed { by: Side::Client, reason: None });
            }
            (Closed::Remote, Some(step)) => {
                self.trace.record(step, Side::Server, TraceData::Closed { by: Side::Server, reason: None });
            }
            (_, None) => {}
        }
        // Over an open connection that is alive DTLS says it at once, and a request would come too late.
        let is_told = *how == Closed::Remote || self.is_live();
        self.trace.end();
        self.patience_ends.take();
        self.listeners.clear();
        self.raw.close();
        if let Some(session) = self.end_session.take()
            && !is_told
        {
            session.tell();
        }
        let channels = self.channels.take();
        for channel in channels.iter().filter_map(Weak::upgrade) {
            channel.connection_ended();
        }
        self.incoming.end();
        self.changes.notify();
        if let Some(observer) = &self.observer {
            observer.ended(how);
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end(&Closed::Local);
    }
}
