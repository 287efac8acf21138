//! JavaScript's objects, read and written field by field.
//!
//! Serde would do it too. But it carries a message for everything that may be wrong with any value, and with them more code
//! than the rest of the client has.

use hola_webrtc_protocol::{Problem, ProblemCode, SdpType, SessionDescription};
use js_sys::Object;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object to be filled.
    #[derive(Clone)]
    #[wasm_bindgen(extends = Object)]
    pub(crate) type Plain;

    #[wasm_bindgen(method, indexing_setter)]
    pub(crate) fn set(this: &Plain, name: &str, value: &JsValue);

    #[wasm_bindgen(method, indexing_setter)]
    pub(crate) fn set_text(this: &Plain, name: &str, value: &str);

    #[wasm_bindgen(method, indexing_setter)]
    pub(crate) fn set_number(this: &Plain, name: &str, value: f64);
}

impl Plain {
    pub(crate) fn empty() -> Self {
        Object::new().unchecked_into()
    }
}

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

/// A property that is a number. What does not fit becomes the nearest that does.
pub(crate) fn number(value: &JsValue, name: &str) -> Option<f64> {
    property(value, name).as_f64()
}

/// A whole number from 0 to 65,535.
pub(crate) fn u16(number: f64) -> Option<u16> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let whole = number as u16;
    (f64::from(whole).to_bits() == number.to_bits()).then_some(whole)
}

/// [W3C, `RTCSessionDescriptionInit`](https://www.w3.org/TR/webrtc/#dom-rtcsessiondescriptioninit).
pub(crate) fn description(value: &JsValue) -> Option<SessionDescription> {
    Some(SessionDescription { kind: SdpType::from_name(&text(value, "type")?)?, sdp: text(value, "sdp")? })
}

/// The same, as the browser takes it.
pub(crate) fn of_description(description: &SessionDescription) -> Plain {
    let plain = Plain::empty();
    plain.set_text("type", description.kind.name());
    plain.set_text("sdp", &description.sdp);
    plain
}

/// The body of a refusal ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
pub(crate) fn problem(value: &JsValue) -> Option<Problem> {
    Some(Problem {
        code: ProblemCode::from_name(&text(value, "code")?),
        status: u16(number(value, "status")?)?,
        title: text(value, "title")?,
        detail: text(value, "detail")?,
    })
}
