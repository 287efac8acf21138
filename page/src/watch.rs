//! The server's half of the trace, as the server tells it.

use futures_util::StreamExt;
use gloo_net::eventsource::{State, futures::EventSource};
use hola_webrtc_protocol::{TraceEvent, signal::TimedEvent};

/// Tells each event of the session from the first on, until the session has ended. The browser comes again by itself where
/// the stream breaks off.
pub async fn watch(url: &str, mut tell: impl FnMut(&TraceEvent)) {
    let Ok(mut source) = EventSource::new(url) else { return };
    let Ok(mut messages) = source.subscribe("message") else { return };
    while let Some(message) = messages.next().await {
        match message {
            Ok((_, message)) => {
                let text = message.data().as_string().unwrap_or_default();
                // A later version may tell what this one does not know.
                if let Some(timed) = js_sys::JSON::parse(&text).ok().and_then(read) {
                    tell(&timed.event);
                }
            }
            Err(_) if source.state() == State::Closed => return,
            Err(_) => {}
        }
    }
}

fn read(event: wasm_bindgen::JsValue) -> Option<TimedEvent> {
    serde_wasm_bindgen::from_value(event).ok()
}
