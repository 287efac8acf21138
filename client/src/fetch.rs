//! Requests. What is awaited is awaited here, whatever a page has put in the place of `fetch`.

use gloo_net::http::Headers;
use hola_webrtc_protocol::Step;
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use crate::{
    ErrorKind, RtcError,
    object::{self, Plain},
    sys,
};

/// A request that is not sent yet.
pub(crate) struct Request {
    init: Plain,
    headers: Plain,
}

impl Request {
    /// With these headers, which more are added to.
    pub(crate) fn new(method: &str, headers: Plain) -> Self {
        let init = Plain::empty();
        init.set_text("method", method);
        init.set_text("cache", "no-store");
        Self { init, headers }
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.headers.set_text(name, value);
        self
    }

    pub(crate) fn body(self, body: &str) -> Self {
        self.init.set_text("body", body);
        self
    }

    /// Waits for the head of the reply. Dropping the future aborts the request.
    pub(crate) async fn send(self, url: &str) -> Result<Response, RtcError> {
        let abort = AbortOnDrop(AbortController::new().map_err(|thrown| js(&thrown))?);
        self.init.set("signal", &abort.0.signal());
        let response = match self.fetch(url) {
            Ok(promise) => JsFuture::from(promise).await.and_then(JsCast::dyn_into),
            Err(thrown) => Err(thrown),
        };
        let raw: web_sys::Response = response.map_err(|thrown| {
            let cause = ["no reply from ", url, ": ", &sys::describe(&thrown)].concat();
            RtcError::new(Step::SendOffer, ErrorKind::ServerUnreachable, cause)
        })?;
        let headers = Headers::from_raw(raw.headers());
        Ok(Response { raw, headers, _abort: abort })
    }

    /// Sends it so that it outlives the page, and does not wait for the reply: there is nothing to do about it.
    pub(crate) fn send_and_forget(self, url: &str) {
        self.init.set("keepalive", &JsValue::TRUE);
        // It leaves now, as the page may be on its way out.
        if let Ok(promise) = self.fetch(url) {
            // Settled, so that a rejection is not reported as unhandled.
            sys::ignore_rejection(&promise);
        }
    }

    fn fetch(&self, url: &str) -> Result<Promise, JsValue> {
        self.init.set("headers", &self.headers);
        let request = web_sys::Request::new_with_str_and_init(url, self.init.unchecked_ref())?;
        Ok(Promise::resolve(&sys::fetch(&request)?))
    }
}

/// A reply, whose body is still to be read.
pub(crate) struct Response {
    raw: web_sys::Response,
    headers: Headers,
    /// Dropped before the body is read, it aborts that.
    _abort: AbortOnDrop,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        object::number(&self.raw, "status").and_then(object::u16).unwrap_or_default()
    }

    /// Where it came from, after redirections.
    pub(crate) fn url(&self) -> String {
        object::text(&self.raw, "url").unwrap_or_default()
    }

    /// The value of a header, if the server shows it to this origin.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)
    }

    /// Whether the body is of this type, whatever its parameters.
    pub(crate) fn is(&self, content_type: &str) -> bool {
        self.header("content-type").is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(content_type))
        })
    }

    /// The body.
    pub(crate) async fn text(&self) -> Result<String, RtcError> {
        let text = self.raw.text().map_err(|thrown| js(&thrown))?;
        let text = JsFuture::from(text).await.map_err(|thrown| {
            let cause = ["the reply broke off: ", &sys::describe(&thrown)].concat();
            RtcError::new(Step::SendOffer, ErrorKind::ServerUnreachable, cause)
        })?;
        Ok(text.as_string().unwrap_or_default())
    }
}

/// Aborts the request with its owner.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn js(thrown: &JsValue) -> RtcError {
    RtcError::js(Step::SendOffer, thrown)
}
