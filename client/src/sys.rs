//! What `web-sys` lacks: the transports below a peer connection, and calls that may throw where it says they
//! cannot. All of it may be missing in a browser, so every getter gives an `Option`.

use gloo_timers::callback::Timeout;
use wasm_bindgen::prelude::*;
use web_sys::{
    EventTarget, Request, RtcConfiguration, RtcDataChannel, RtcDataChannelInit, RtcPeerConnection,
};

use js_sys::Promise;

use crate::object;

#[wasm_bindgen]
extern "C" {
    /// A peer connection with its SCTP transport.
    #[derive(Clone)]
    #[wasm_bindgen(extends = RtcPeerConnection, js_name = RTCPeerConnection)]
    pub(crate) type PeerConnection;

    /// <https://www.w3.org/TR/webrtc/#dom-peerconnection>
    #[wasm_bindgen(constructor, catch, js_class = RTCPeerConnection)]
    pub(crate) fn new(configuration: &RtcConfiguration) -> Result<PeerConnection, JsValue>;

    /// <https://www.w3.org/TR/webrtc/#dom-peerconnection-restartice>
    #[wasm_bindgen(method, js_name = restartIce)]
    pub(crate) fn restart_ice(this: &PeerConnection);

    /// <https://www.w3.org/TR/webrtc/#dom-peerconnection-setlocaldescription>
    #[wasm_bindgen(method, js_name = setLocalDescription)]
    pub(crate) fn set_local_description_without_argument(this: &PeerConnection) -> Promise;

    /// <https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-sctp>
    #[wasm_bindgen(method, getter)]
    pub(crate) fn sctp(this: &PeerConnection) -> Option<SctpTransport>;

    /// <https://www.w3.org/TR/webrtc/#dom-peerconnection-createdatachannel>
    #[wasm_bindgen(method, catch, js_name = createDataChannel)]
    pub(crate) fn try_create_data_channel(
        this: &PeerConnection,
        label: &str,
        options: &RtcDataChannelInit,
    ) -> Result<RtcDataChannel, JsValue>;

    /// <https://www.w3.org/TR/webrtc/#rtcsctptransport-interface>
    #[derive(Clone)]
    #[wasm_bindgen(extends = EventTarget)]
    pub(crate) type SctpTransport;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &SctpTransport) -> Option<DtlsTransport>;

    /// <https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface>
    #[derive(Clone)]
    #[wasm_bindgen(extends = EventTarget)]
    pub(crate) type DtlsTransport;

    /// A channel with the name of its protocol.
    #[wasm_bindgen(extends = RtcDataChannel)]
    pub(crate) type DataChannel;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn protocol(this: &DataChannel) -> Option<String>;

    /// <https://fetch.spec.whatwg.org/#fetch-method>. It returns a promise, unless a page has put something else
    /// in its place.
    #[wasm_bindgen(catch)]
    pub(crate) fn fetch(request: &Request) -> Result<JsValue, JsValue>;

    /// <https://www.w3.org/TR/webcrypto/#Crypto-method-getRandomValues>
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    pub(crate) fn get_random_values(bytes: &mut [u8]);

    /// <https://tc39.es/ecma262/#sec-string-constructor-string-value>
    #[wasm_bindgen(catch, js_name = String)]
    fn string(value: &JsValue) -> Result<String, JsValue>;
}

/// By name, as each getter of its own weighs on both sides of the module.
impl SctpTransport {
    pub(crate) fn state(&self) -> Option<String> {
        object::text(self, "state")
    }

    /// In bytes; infinite if there is no limit.
    pub(crate) fn max_message_size(&self) -> Option<f64> {
        object::number(self, "maxMessageSize")
    }
}

impl DtlsTransport {
    pub(crate) fn dtls_state(&self) -> Option<String> {
        object::text(self, "state")
    }
}

impl DataChannel {
    pub(crate) fn state(&self) -> Option<String> {
        object::text(self, "readyState")
    }
}

/// Calls back after so many milliseconds, unless it is dropped before. One kind of closure for all.
pub(crate) fn after(millis: u32, callback: Box<dyn FnOnce()>) -> Timeout {
    Timeout::new(millis, callback)
}

/// Nobody waits for this promise, and that it is rejected is no news.
pub(crate) fn ignore_rejection(promise: &Promise) {
    let _ = Promise::all_settled(&js_sys::Array::of1(promise));
}

/// What was thrown, for a person: name and message of an error, or the value itself.
pub(crate) fn describe(thrown: &JsValue) -> String {
    match (thrown.as_string(), object::text(thrown, "name"), object::text(thrown, "message")) {
        (Some(string), ..) => string,
        (None, Some(name), Some(message)) => [&name, ": ", &message].concat(),
        (None, None, Some(message)) => message,
        // Only objects without a prototype refuse.
        _ => string(thrown).unwrap_or_default(),
    }
}
