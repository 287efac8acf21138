//! What the package's JavaScript gives to the module.

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{RtcConfiguration, RtcDataChannel};

#[wasm_bindgen]
extern "C" {
    /// What the caller chose, checked and with defaults. Times are in milliseconds.
    pub type Chosen;

    #[wasm_bindgen(method, getter)]
    pub(super) fn configuration(this: &Chosen) -> RtcConfiguration;

    /// How long to wait for all candidates; none if the offer leaves at once.
    #[wasm_bindgen(method, getter)]
    pub(super) fn gathering(this: &Chosen) -> Option<f64>;

    #[wasm_bindgen(method, getter)]
    pub(super) fn deadline(this: &Chosen) -> f64;

    #[wasm_bindgen(method, getter)]
    pub(super) fn patience(this: &Chosen) -> f64;

    #[wasm_bindgen(method, getter)]
    pub(super) fn language(this: &Chosen) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub(super) fn token(this: &Chosen) -> Option<String>;

    /// Who is told. None of these calls back before it returns.
    #[derive(Clone)]
    pub type Host;

    /// Resolves when the step may begin. There is none if nobody waits.
    #[wasm_bindgen(method, getter)]
    pub(super) fn gate(this: &Host) -> Option<js_sys::Function>;

    /// The gate, called.
    #[wasm_bindgen(method, js_name = gate)]
    pub(super) fn pass(this: &Host, step: &str) -> Promise;

    /// An event of the trace.
    #[wasm_bindgen(method)]
    pub(super) fn traced(this: &Host, event: &Object);

    /// The channel of step 2.
    #[wasm_bindgen(method)]
    pub(super) fn channel(this: &Host, channel: &RtcDataChannel);

    /// A channel that the other side opened.
    #[wasm_bindgen(method)]
    pub(super) fn incoming(this: &Host, channel: &RtcDataChannel);

    /// All steps are done.
    #[wasm_bindgen(method)]
    pub(super) fn opened(this: &Host);

    /// A state may have moved.
    #[wasm_bindgen(method)]
    pub(super) fn changed(this: &Host);

    /// All is over: "local", "remote" or "failure", and what the error is made of.
    #[wasm_bindgen(method)]
    pub(super) fn ended(this: &Host, by: &str, error: Option<Object>);
}
