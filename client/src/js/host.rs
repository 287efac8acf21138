//! What the package's JavaScript gives to the module.

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{RtcConfiguration, RtcDataChannel, RtcPeerConnection};

use crate::object::Plain;

#[wasm_bindgen]
extern "C" {
    /// What the caller chose, checked and with defaults. Times are in milliseconds.
    pub type Chosen;

    #[wasm_bindgen(method, getter)]
    pub(super) fn configuration(this: &Chosen) -> RtcConfiguration;

    /// Of the request with the offer.
    #[wasm_bindgen(method, getter)]
    pub(super) fn headers(this: &Chosen) -> Plain;

    /// How long to wait for all candidates; negative if the offer leaves at once.
    #[wasm_bindgen(method, getter)]
    pub(super) fn gathering(this: &Chosen) -> f64;

    #[wasm_bindgen(method, getter)]
    pub(super) fn deadline(this: &Chosen) -> f64;

    #[wasm_bindgen(method, getter)]
    pub(super) fn patience(this: &Chosen) -> f64;

    /// Whether the host has a gate.
    #[wasm_bindgen(method, getter)]
    pub(super) fn gated(this: &Chosen) -> bool;

    /// Who is told. None of these calls back before it returns.
    #[derive(Clone)]
    pub type Host;

    /// Resolves when the step may begin.
    #[wasm_bindgen(method)]
    pub(super) fn gate(this: &Host, step: &str) -> Promise;

    /// An event of the trace.
    #[wasm_bindgen(method)]
    pub(super) fn traced(this: &Host, event: &Object);

    /// The channel of step 2 is made.
    #[wasm_bindgen(method)]
    pub(super) fn made(this: &Host, channel: &RtcDataChannel, connection: &RtcPeerConnection);

    /// A channel that the other side opened.
    #[wasm_bindgen(method)]
    pub(super) fn incoming(this: &Host, channel: &RtcDataChannel);

    /// All steps are done.
    #[wasm_bindgen(method)]
    pub(super) fn opened(this: &Host);

    /// ICE has found a path.
    #[wasm_bindgen(method, js_name = pathFound)]
    pub(super) fn path_found(this: &Host);

    /// A state may have moved.
    #[wasm_bindgen(method)]
    pub(super) fn changed(this: &Host, disconnected: bool);

    /// All is over: "local", "remote" or "failure", and what the error is made of.
    #[wasm_bindgen(method)]
    pub(super) fn ended(this: &Host, by: &str, error: Option<Object>);
}
