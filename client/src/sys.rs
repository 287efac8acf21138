//! What `web-sys` lacks: the transports below a peer connection, and calls that may throw where it says they
//! cannot. All of it may be missing in a browser, so every getter gives an `Option`.

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
    pub(crate) fn state(this: &SctpTransport) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &SctpTransport) -> Option<DtlsTransport>;

    /// In bytes; infinite if there is no limit.
    #[wasm_bindgen(method, getter, js_name = maxMessageSize)]
    pub(crate) fn max_message_size(this: &SctpTransport) -> Option<f64>;

    /// <https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface>
    #[derive(Clone)]
    #[wasm_bindgen(extends = EventTarget)]
    pub(crate) type DtlsTransport;

    #[wasm_bindgen(method, getter, js_name = state)]
    pub(crate) fn dtls_state(this: &DtlsTransport) -> Option<String>;

    /// A channel with the name of its protocol.
    #[wasm_bindgen(extends = RtcDataChannel)]
    pub(crate) type DataChannel;

    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub(crate) fn state(this: &DataChannel) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn protocol(this: &DataChannel) -> Option<String>;

    /// A string, a buffer or a view of one, as it is.
    #[wasm_bindgen(method, catch, js_name = send)]
    pub(crate) fn send_value(this: &DataChannel, data: &JsValue) -> Result<(), JsValue>;

    /// <https://fetch.spec.whatwg.org/#fetch-method>. It returns a promise, unless a page has put something else
    /// in its place.
    #[wasm_bindgen(catch)]
    pub(crate) fn fetch(request: &Request) -> Result<JsValue, JsValue>;

    /// <https://tc39.es/ecma262/#sec-string-constructor-string-value>
    #[wasm_bindgen(catch, js_name = String)]
    fn string(value: &JsValue) -> Result<String, JsValue>;
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
