//! The peer connection, with all that hangs on it, and its end.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use hola_webrtc_protocol::{SessionId, Side, Step, TraceData};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, RtcDataChannel, RtcDataChannelInit};

use crate::{
    Closed, ConnectOptions, ConnectionState, EndSession, ErrorKind, RestartIce, RtcError, Trace,
    changes::Changes,
    channel_core::ChannelCore,
    connection::{Ending, Incoming},
    listener::Listener,
    object, observe,
    observer::Observer,
    offer::ReadyToOffer,
    steps,
    sys::{self, SctpTransport},
};

/// A peer connection. It is closed with the last who holds it.
pub(crate) struct Peer {
    raw: sys::PeerConnection,
    trace: Trace,
    /// Moves with every state of the peer connection, its transports and its channels.
    pub(crate) changes: Changes,
    /// Gone with the end.
    listener: RefCell<Option<Listener>>,
    /// As far as the browser shows it, once there is one.
    sctp: RefCell<Option<SctpTransport>>,
    /// Step 8 is done: from now on a failure is a loss.
    open: Cell<bool>,
    /// For what is asked of the other side once the connection is open.
    pub(crate) deadline: u32,
    /// What is waited for has taken too long.
    pub(crate) is_late: Cell<bool>,
    patience: u32,
    patience_ends: RefCell<Option<Timeout>>,
    session: Cell<Option<SessionId>>,
    end_session: Cell<Option<EndSession>>,
    restart_ice: RefCell<Option<RestartIce>>,
    channels: RefCell<Vec<Weak<ChannelCore>>>,
    incoming: Rc<Incoming>,
    ending: Rc<Ending<Closed>>,
    pub(crate) observer: Rc<dyn Observer>,
}

impl Peer {
    /// Step 1.
    pub(crate) fn new(options: &ConnectOptions, trace: &Trace) -> Result<Rc<Self>, RtcError> {
        const STEP: Step = Step::CreatePeerConnection;
        if object::property(&js_sys::global(), "RTCPeerConnection").is_undefined() {
            let cause = "this browser has no RTCPeerConnection";
            return Err(RtcError::new(STEP, ErrorKind::Unsupported, cause));
        }
        let raw =
            sys::PeerConnection::new(&options.configuration).map_err(|thrown| RtcError::js(STEP, &thrown))?;
        let peer = Rc::new_cyclic(|weak: &Weak<Self>| {
            let weak = weak.clone();
            let listener = Listener::new(move |event| {
                if let Some(peer) = weak.upgrade() {
                    observe::happened(&peer, &event);
                }
            });
            listener.listen(&raw, observe::PEER_CONNECTION);
            Self {
                raw,
                trace: trace.clone(),
                changes: Changes::default(),
                listener: RefCell::new(Some(listener)),
                sctp: RefCell::default(),
                open: Cell::new(false),
                deadline: steps::millis(options.deadline),
                is_late: Cell::default(),
                patience: steps::millis(options.patience),
                patience_ends: RefCell::default(),
                session: Cell::default(),
                end_session: Cell::default(),
                restart_ice: RefCell::default(),
                channels: RefCell::default(),
                incoming: Rc::default(),
                ending: Rc::default(),
                observer: options.observer.clone(),
            }
        });
        Ok(peer)
    }

    /// The transports exist once the answer is set
    /// ([W3C](https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-sctp)). What a browser does not show is not missed.
    pub(crate) fn watch_transports(&self) {
        if let (Some(sctp), Some(listener)) = (self.raw.sctp(), &*self.listener.borrow()) {
            listener.listen(&sctp, observe::TRANSPORT);
            if let Some(dtls) = sctp.transport() {
                listener.listen(&dtls, observe::TRANSPORT);
            }
            self.sctp.replace(Some(sctp));
        }
    }

    /// A state of the peer connection, by the name of its attribute.
    pub(crate) fn state(&self, attribute: &str) -> Option<String> {
        object::text(&self.raw, attribute)
    }

    pub(crate) fn sctp_state(&self) -> Option<String> {
        self.sctp.borrow().as_ref()?.state()
    }

    pub(crate) fn dtls_state(&self) -> Option<String> {
        self.sctp.borrow().as_ref()?.transport()?.dtls_state()
    }

    pub(crate) fn ice_is_connected(&self) -> bool {
        matches!(self.state("iceConnectionState").as_deref(), Some("connected" | "completed"))
    }

    /// Step 2.
    pub(crate) fn create_data_channel(
        self: &Rc<Self>,
        options: &ConnectOptions,
    ) -> Result<ReadyToOffer, RtcError> {
        let channel = self
            .make_channel(&options.label, &options.channel)
            .map_err(|thrown| RtcError::js(Step::CreateDataChannel, &thrown))?;
        self.observer.made(self, &channel);
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
        self.observer.incoming(self, channel);
    }

    fn adopt(self: &Rc<Self>, raw: RtcDataChannel) -> Rc<ChannelCore> {
        if let Some(listener) = &*self.listener.borrow() {
            listener.listen(&raw, observe::CHANNEL);
        }
        let channel = ChannelCore::new(self, raw);
        let mut channels = self.channels.borrow_mut();
        channels.retain(|channel| channel.strong_count() > 0);
        channels.push(Rc::downgrade(&channel));
        channel
    }

    /// The state of a channel has moved.
    pub(crate) fn channel_moved(&self, raw: &EventTarget, is_closed: bool) {
        if let Some(listener) = &*self.listener.borrow()
            && is_closed
        {
            listener.forget(raw);
        }
        let mut is_held = false;
        for channel in self.channels.borrow().iter().filter_map(Weak::upgrade) {
            is_held |= channel.is(raw);
            channel.moved();
        }
        // It was let go before it was open.
        if !is_held {
            raw.unchecked_ref::<RtcDataChannel>().close();
        }
    }

    pub(crate) fn raw(&self) -> &sys::PeerConnection {
        &self.raw
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn ending(&self) -> &Rc<Ending<Closed>> {
        &self.ending
    }

    pub(crate) fn incoming(&self) -> &Rc<Incoming> {
        &self.incoming
    }

    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.session.get()
    }

    /// How to restart ICE on the other side.
    pub(crate) fn restart_ice(&self) -> Option<RestartIce> {
        self.restart_ice.borrow().clone()
    }

    /// [`is_late`](Self::is_late) after so many milliseconds, unless the timer is dropped before.
    pub(crate) fn late_after(self: &Rc<Self>, millis: u32) -> Timeout {
        self.is_late.set(false);
        self.after(millis, |peer| {
            peer.is_late.set(true);
            peer.changes.notify();
        })
    }

    /// Does this after so many milliseconds, unless the timer is dropped before.
    fn after(self: &Rc<Self>, millis: u32, then: fn(&Self)) -> Timeout {
        let weak = Rc::downgrade(self);
        sys::after(
            millis,
            Box::new(move || {
                if let Some(peer) = weak.upgrade() {
                    then(&peer);
                }
            }),
        )
    }

    /// From now on the other side is told of the end.
    pub(crate) fn set_session(
        &self,
        id: Option<SessionId>,
        end: Option<EndSession>,
        restart: Option<RestartIce>,
    ) {
        self.session.set(id);
        self.restart_ice.replace(restart);
        self.end_session.set(end);
    }

    pub(crate) fn set_open(&self) {
        self.open.set(true);
    }

    pub(crate) fn connection_state(&self) -> ConnectionState {
        if self.ending.is_reached() {
            ConnectionState::Closed
        } else if self.state("iceConnectionState").as_deref() == Some("disconnected") {
            ConnectionState::Disconnected
        } else {
            ConnectionState::Connected
        }
    }

    /// Looks for the end of an open connection, after a state has moved.
    pub(crate) fn judge(self: &Rc<Self>) {
        if self.open.get() && !self.ending.is_reached() {
            let ice = self.state("iceConnectionState");
            let (dtls, sctp) = (self.dtls_state(), self.sctp_state());
            let is = |state: &Option<String>, name: &str| state.as_deref() == Some(name);
            // Ended by the other side.
            let gone = self.channels_gone() || is(&dtls, "closed") || is(&sctp, "closed");
            if is(&ice, "failed") || is(&dtls, "failed") {
                self.lose("the connection was open, and failed");
            } else if gone && (is(&ice, "connected") || is(&ice, "completed")) {
                self.end(&Closed::Remote);
            } else if gone {
                self.lose("the connection was open, and its channels closed without a word");
            } else if is(&ice, "disconnected") {
                self.start_patience();
            } else {
                self.patience_ends.take();
            }
        }
        self.changes.notify();
        self.observer.changed(self);
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
            *ends = Some(self.after(self.patience, |peer| {
                let patience = peer.patience.to_string();
                peer.lose(
                    ["the connection was open, and has been disconnected for ", &patience, " ms"].concat(),
                );
            }));
        }
    }

    /// Whether the connection is open, and the other side hears this one.
    fn is_live(&self) -> bool {
        self.open.get() && self.ice_is_connected()
    }

    fn lose(&self, cause: impl Into<Cow<'static, str>>) {
        self.end(&Closed::Failed(RtcError::new(Step::CheckConnectivity, ErrorKind::Lost, cause)));
    }

    /// Ends everything. The first end counts.
    pub(crate) fn end(&self, how: &Closed) {
        if !self.ending.set(how.clone()) {
            return;
        }
        // Over an open connection that is alive DTLS says it at once, and a request would come too late.
        let is_told = *how == Closed::Remote || self.is_live();
        // Why it did not open tells who made it.
        if self.open.get() {
            self.tell_end(how);
            self.trace.end();
        }
        self.patience_ends.take();
        self.listener.take();
        self.sctp.take();
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
        self.observer.ended(how);
    }

    fn tell_end(&self, how: &Closed) {
        let closed = |by| TraceData::Closed { by, reason: None };
        match how {
            Closed::Failed(error) => self.trace.client(error.step, error.trace_data()),
            Closed::Local => self.trace.client(Step::OpenChannel, closed(Side::Client)),
            Closed::Remote => self.trace.record(Step::OpenChannel, Side::Server, closed(Side::Server)),
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end(&Closed::Local);
    }
}
