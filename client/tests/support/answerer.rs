//! An answerer made of the page's own `RTCPeerConnection`, in place of a server.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use hola_webrtc_client::{
    ConnectOptions, Connection, EndSession, Reply, RtcError, SessionDescription, SessionId, Signaller, Step,
    Trace, connect_with,
};
use wasm_bindgen::{JsCast, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MessageEvent, RtcDataChannel, RtcDataChannelEvent, RtcDataChannelType, RtcIceGatheringState,
    RtcPeerConnection,
};

pub const SESSION: SessionId = SessionId::from_bytes([42; 16]);

/// Answers one offer, and echoes on every channel. It sets its handlers as properties, so that it does not count
/// as a listener.
#[derive(Clone)]
pub struct Answerer(Rc<Inner>);

struct Inner {
    pc: RtcPeerConnection,
    tamper: Box<dyn Fn(String) -> String>,
    offer: RefCell<Option<SessionDescription>>,
    ended: Rc<Cell<u32>>,
    channels: Rc<RefCell<Vec<RtcDataChannel>>>,
    _on_channel: Closure<dyn Fn(RtcDataChannelEvent)>,
}

impl Answerer {
    pub fn new() -> Self {
        Self::tampering(|sdp| sdp)
    }

    /// Changes the answer on its way.
    pub fn tampering(tamper: impl Fn(String) -> String + 'static) -> Self {
        let pc = RtcPeerConnection::new().unwrap();
        let channels = Rc::<RefCell<Vec<_>>>::default();
        let echo = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| echo(&event));
        let on_channel = Closure::<dyn Fn(RtcDataChannelEvent)>::new({
            let channels = Rc::clone(&channels);
            move |event: RtcDataChannelEvent| {
                let channel: RtcDataChannel = event.channel();
                channel.set_binary_type(RtcDataChannelType::Arraybuffer);
                channel.set_onmessage(Some(echo.as_js_value().unchecked_ref()));
                channels.borrow_mut().push(channel);
            }
        });
        pc.set_ondatachannel(Some(on_channel.as_js_value().unchecked_ref()));
        Self(Rc::new(Inner {
            pc,
            tamper: Box::new(tamper),
            offer: RefCell::default(),
            ended: Rc::default(),
            channels,
            _on_channel: on_channel,
        }))
    }

    pub fn pc(&self) -> &RtcPeerConnection {
        &self.0.pc
    }

    /// What came.
    pub fn offer(&self) -> SessionDescription {
        self.0.offer.borrow().clone().expect("no offer came")
    }

    /// The first channel that the offerer opened.
    pub async fn channel(&self) -> RtcDataChannel {
        loop {
            if let Some(channel) = self.0.channels.borrow().first() {
                return channel.clone();
            }
            super::pause(5).await;
        }
    }

    /// How often the session was ended.
    pub fn ended(&self) -> u32 {
        self.0.ended.get()
    }
}

/// A connection with a new answerer.
pub async fn connected() -> (Connection, Answerer) {
    let answerer = Answerer::new();
    (super::soon(connect_with(answerer.clone(), ConnectOptions::default())).await.unwrap(), answerer)
}

fn echo(event: &MessageEvent) {
    let channel: RtcDataChannel = event.target().unwrap().unchecked_into();
    let data = event.data();
    match data.as_string() {
        Some(text) => channel.send_with_str(&text),
        None => channel.send_with_array_buffer(data.unchecked_ref()),
    }
    .unwrap();
}

impl Signaller for Answerer {
    async fn exchange(&self, offer: &SessionDescription, _: &Trace) -> Result<Reply, RtcError> {
        let Inner { pc, tamper, ended, .. } = &*self.0;
        *self.0.offer.borrow_mut() = Some(offer.clone());
        let init = serde_wasm_bindgen::to_value(offer).unwrap().unchecked_into();
        JsFuture::from(pc.set_remote_description(&init)).await.unwrap();
        let answer = JsFuture::from(pc.create_answer()).await.unwrap();
        JsFuture::from(pc.set_local_description(answer.unchecked_ref())).await.unwrap();
        while pc.ice_gathering_state() != RtcIceGatheringState::Complete {
            super::pause(5).await;
        }
        let answer = SessionDescription::answer(tamper(pc.local_description().unwrap().sdp()));
        let ended = Rc::clone(ended);
        let mut reply = Reply::new(answer);
        reply.session = Some(SESSION);
        reply.timings = vec![(Step::BuildPeer, Duration::from_micros(1500))];
        reply.end = Some(EndSession::new(move || ended.set(ended.get() + 1)));
        Ok(reply)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pc.set_ondatachannel(None);
        for channel in self.channels.borrow().iter() {
            channel.set_onmessage(None);
        }
        self.pc.close();
    }
}
