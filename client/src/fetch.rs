//! Requests. The only place that knows `gloo-net`.
//!
//! It builds the requests and reads the headers; what is awaited, is awaited here. gloo-net's own `send` and
//! `text` panic when a promise is rejected with something else than an `Error`, and a page may wrap `fetch`
//! as it likes: <https://github.com/rustwasm/gloo/blob/master/crates/net/src/error.rs>.

use gloo_net::http::{Headers, Request};
use hola_webrtc_protocol::{Step, signal};
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, RequestCache, RequestInit};

use crate::{ErrorKind, RtcError, sys};

/// A reply, whose body is still to be read.
pub(crate) struct Response {
    raw: web_sys::Response,
    headers: Headers,
    /// Dropped before the body is read, it aborts that.
    _abort: AbortOnDrop,
}

/// Posts an offer as JSON, and waits for the head of the reply. Dropping the future aborts the request.
pub(crate) async fn post(
    url: &str,
    body: &str,
    language: Option<&str>,
    token: Option<&str>,
) -> Result<Response, RtcError> {
    let abort = AbortOnDrop(AbortController::new().map_err(|thrown| js(&thrown))?);
    let mut request = Request::post(url)
        .header("Content-Type", signal::JSON)
        .header("Accept", signal::JSON)
        .cache(RequestCache::NoStore)
        .abort_signal(Some(&abort.0.signal()));
    if let Some(language) = language.filter(|text| is_header(text)) {
        request = request.header("Accept-Language", language);
    }
    if let Some(token) = token.filter(|text| is_header(text)) {
        request = request.header("Authorization", &format!("Bearer {token}"));
    }
    let request = request.body(body).map_err(|error| unreachable(url, &error.to_string()))?;
    let response = send(&request.into(), &RequestInit::new())
        .await
        .map_err(|thrown| unreachable(url, &sys::describe(&thrown)))?;
    let headers = Headers::from_raw(response.headers());
    Ok(Response { raw: response, headers, _abort: abort })
}

/// Sends a `DELETE` that outlives the page, and does not wait for the reply.
pub(crate) fn delete(url: &str) {
    let init = RequestInit::new();
    // `web-sys` has no setter for it. Setting a property of a plain object does not throw.
    let _ = js_sys::Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    // It leaves now, as the page may be on its way out. Whether it arrives or not, there is nothing more to do:
    // the server sees the end by itself.
    if let Ok(request) = Request::delete(url).build()
        && let Ok(promise) = sys::fetch(&request.into(), &init)
    {
        spawn_local(async move {
            let _ = JsFuture::from(Promise::resolve(&promise)).await;
        });
    }
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.raw.status()
    }

    /// Where it came from, after redirections.
    pub(crate) fn url(&self) -> String {
        self.raw.url()
    }

    /// The value of a header, if the server shows it to this origin.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)
    }

    /// Whether the body is of this type, whatever its parameters.
    pub(crate) fn is(&self, content_type: &str) -> bool {
        self.header("content-type").is_some_and(|value| {
            value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(content_type))
        })
    }

    /// The body.
    pub(crate) async fn text(&self) -> Result<String, RtcError> {
        let text = self.raw.text().map_err(|thrown| js(&thrown))?;
        let text = JsFuture::from(text).await.map_err(|thrown| broken_off(&sys::describe(&thrown)))?;
        Ok(text.as_string().unwrap_or_default())
    }
}

/// What no header can hold would throw.
fn is_header(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

async fn send(request: &web_sys::Request, init: &RequestInit) -> Result<web_sys::Response, JsValue> {
    JsFuture::from(Promise::resolve(&sys::fetch(request, init)?)).await?.dyn_into()
}

/// Aborts the request with its owner.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn unreachable(url: &str, cause: &str) -> RtcError {
    let cause = format!("no reply from {url}: {cause}");
    RtcError::new(Step::SendOffer, ErrorKind::ServerUnreachable, cause)
}

fn broken_off(cause: &str) -> RtcError {
    let cause = format!("the reply to the offer broke off: {cause}");
    RtcError::new(Step::SendOffer, ErrorKind::ServerUnreachable, cause)
}

fn js(thrown: &JsValue) -> RtcError {
    RtcError::js(Step::SendOffer, thrown)
}
