//! Plain values of JavaScript, read field by field.
//!
//! A derived `Deserialize` would do it too. But it carries a message for everything that may be wrong with any
//! value, and with them more code than the rest of the client has.

use hola_webrtc_protocol::{Problem, ProblemCode, SessionDescription};
use serde::de::{
    DeserializeOwned,
    value::{Error, StringDeserializer},
};
use wasm_bindgen::JsValue;

/// The value in a JSON text.
pub(crate) fn json(text: &str) -> Option<JsValue> {
    js_sys::JSON::parse(text).ok()
}

/// A property, if the value is an object and has it; otherwise `undefined`.
pub(crate) fn property(value: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(value, &name.into()).unwrap_or_default()
}

/// A property that is a text.
pub(crate) fn text(value: &JsValue, name: &str) -> Option<String> {
    property(value, name).as_string()
}

/// A property that is the name of one of an enum's variants.
pub(crate) fn named<T: DeserializeOwned>(value: &JsValue, name: &str) -> Option<T> {
    T::deserialize(StringDeserializer::<Error>::new(text(value, name)?)).ok()
}

/// A whole number from 0 to 65,535.
pub(crate) fn u16(value: &JsValue) -> Option<u16> {
    let number = value.as_f64()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let whole = number as u16;
    (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
}

/// [W3C, `RTCSessionDescriptionInit`](https://www.w3.org/TR/webrtc/#dom-rtcsessiondescriptioninit).
pub(crate) fn description(value: &JsValue) -> Option<SessionDescription> {
    Some(SessionDescription { kind: named(value, "type")?, sdp: text(value, "sdp")? })
}

/// The body of a refusal ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
pub(crate) fn problem(value: &JsValue) -> Option<Problem> {
    Some(Problem {
        code: ProblemCode::from_name(&text(value, "code")?),
        status: u16(&property(value, "status"))?,
        title: text(value, "title")?,
        detail: text(value, "detail")?,
    })
}
