//! An answerer made of the page's own `RTCPeerConnection`, in place of a server.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use gloo_events::EventListener;
use hola_webrtc_client::{
    EndSession, Reply, RtcError, SessionDescription, SessionId, Signaller, Step, Trace,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MessageEvent, RtcDataChannel, RtcDataChannelEvent, RtcDataChannelType, RtcIceGatheringState,
    RtcPeerConnection,
};

pub const SESSION: SessionId = SessionId::from_bytes([42; 16]);

/// Answers one offer, and echoes on every channel.
#[derive(Clone)]
pub struct Answerer(Rc<Inner>);

struct Inner {
    pc: RtcPeerConnection,
    tamper: Box<dyn Fn(String) -> String>,
    offer: RefCell<Option<SessionDescription>>,
    ended: Rc<Cell<u32>>,
    channels: RefCell<Vec<RtcDataChannel>>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Answerer {
    pub fn new() -> Self {
        Self::tampering(|sdp| sdp)
    }

    /// Changes the answer on its way.
    pub fn tampering(tamper: impl Fn(String) -> String + 'static) -> Self {
        let answerer = Self(Rc::new(Inner {
            pc: RtcPeerConnection::new().unwrap(),
            tamper: Box::new(tamper),
            offer: RefCell::default(),
            ended: Rc::default(),
            channels: RefCell::default(),
            listeners: RefCell::default(),
        }));
        let weak = Rc::downgrade(&answerer.0);
        let listener = EventListener::new(&answerer.0.pc, "datachannel", move |event| {
            if let Some(inner) = weak.upgrade() {
                let channel = event.unchecked_ref::<RtcDataChannelEvent>().channel();
                channel.set_binary_type(RtcDataChannelType::Arraybuffer);
                let echo = EventListener::new(&channel, "message", {
                    let channel = channel.clone();
                    move |event| echo(&channel, &event.unchecked_ref::<MessageEvent>().data())
                });
                inner.listeners.borrow_mut().push(echo);
                inner.channels.borrow_mut().push(channel);
            }
        });
        answerer.0.listeners.borrow_mut().push(listener);
        answerer
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

fn echo(channel: &RtcDataChannel, data: &JsValue) {
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
        Ok(Reply {
            answer,
            session: Some(SESSION),
            timings: vec![(Step::BuildPeer, Duration::from_micros(1500))],
            end: Some(EndSession::new(move || ended.set(ended.get() + 1))),
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pc.close();
    }
}
