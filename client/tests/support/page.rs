//! The page around a test, changed for its time.

use js_sys::{Function, Reflect};
use wasm_bindgen::JsValue;

/// A property of the page, set to another value until this is dropped.
pub struct Replaced {
    object: JsValue,
    name: &'static str,
    original: JsValue,
}

impl Replaced {
    pub fn new(object: &JsValue, name: &'static str, value: &JsValue) -> Self {
        let original = Reflect::get(object, &name.into()).unwrap();
        Reflect::set(object, &name.into(), value).unwrap();
        Self { object: object.clone(), name, original }
    }

    /// `window.fetch`, as a JavaScript function body whose arguments are `request` and `init`; the original is
    /// `browserFetch`.
    pub fn fetch(body: &str) -> Self {
        let make = format!("return function (request, init) {{ {body} }}");
        let global = js_sys::global();
        let original = Reflect::get(&global, &"fetch".into()).unwrap();
        let fetch =
            Function::new_with_args("browserFetch", &make).call1(&JsValue::UNDEFINED, &original).unwrap();
        Self::new(&global, "fetch", &fetch)
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        Reflect::set(&self.object, &self.name.into(), &self.original).unwrap();
    }
}

/// Counts the listeners that are registered on anything, from now on.
pub struct ListenerCount(JsValue);

impl ListenerCount {
    pub fn new() -> Self {
        let count = js_sys::eval(
            "(() => {
                const { addEventListener, removeEventListener } = EventTarget.prototype;
                const counter = { registered: 0, live: new Set() };
                EventTarget.prototype.addEventListener = function (type, listener, ...rest) {
                    counter.registered += 1;
                    counter.live.add(`${this.constructor.name} ${id(this)} ${type} ${id(listener)}`);
                    return addEventListener.call(this, type, listener, ...rest);
                };
                EventTarget.prototype.removeEventListener = function (type, listener, ...rest) {
                    counter.live.delete(`${this.constructor.name} ${id(this)} ${type} ${id(listener)}`);
                    return removeEventListener.call(this, type, listener, ...rest);
                };
                const ids = new WeakMap();
                let last = 0;
                const id = (listener) => {
                    if (!ids.has(listener)) ids.set(listener, last += 1);
                    return ids.get(listener);
                };
                counter.restore = () =>
                    Object.assign(EventTarget.prototype, { addEventListener, removeEventListener });
                return counter;
            })()",
        );
        Self(count.unwrap())
    }

    /// How many were registered in all.
    pub fn registered(&self) -> f64 {
        Reflect::get(&self.0, &"registered".into()).unwrap().as_f64().unwrap()
    }

    /// Which are still registered.
    pub fn live(&self) -> Vec<String> {
        let live = Reflect::get(&self.0, &"live".into()).unwrap();
        js_sys::Array::from(&live).iter().filter_map(|name| name.as_string()).collect()
    }
}

impl Drop for ListenerCount {
    fn drop(&mut self) {
        let restore: Function = Reflect::get(&self.0, &"restore".into()).unwrap().into();
        restore.call0(&self.0).unwrap();
    }
}

/// The peer connections that the page has made since, however they were reached.
pub struct PeerConnections {
    made: js_sys::Array,
    _constructor: Replaced,
}

impl PeerConnections {
    pub fn new() -> Self {
        let made = js_sys::Array::new();
        let global = js_sys::global();
        let original = Reflect::get(&global, &"RTCPeerConnection".into()).unwrap();
        let subclass = Function::new_with_args(
            "original, made",
            "return class extends original { constructor(...args) { super(...args); made.push(this); } }",
        );
        let subclass = subclass.call2(&JsValue::NULL, &original, &made).unwrap();
        Self { made, _constructor: Replaced::new(&global, "RTCPeerConnection", &subclass) }
    }

    /// Their signalling states.
    pub fn states(&self) -> Vec<String> {
        let state = |pc: JsValue| Reflect::get(&pc, &"signalingState".into()).unwrap().as_string().unwrap();
        self.made.iter().map(state).collect()
    }
}
