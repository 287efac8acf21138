//! A connection with one channel, to be used as simply as a WebSocket.

use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, Function, Object, Promise, Reflect, TypeError, Uint8Array};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::{future_to_promise, spawn_local};

use super::{error, handlers::Handlers, options};
use crate::{Channel, Connection, ConnectionState, Message, TraceEvent};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** An event of the trace: its step ("1" to "8d"), who acted, when (ms since the start), and what happened. */
export interface TraceEvent {
    step: string;
    side: "client" | "server";
    at: number;
    event: string;
    [detail: string]: unknown;
}
"#;

/// Connects to a hola-webrtc server, or to any that takes `POST /offer`. Resolves when the channel is open,
/// rejects with an `RtcError`.
#[wasm_bindgen]
pub async fn connect(
    url: String,
    #[wasm_bindgen(unchecked_optional_param_type = "ConnectOptions")] options: JsValue,
) -> Result<JsConnection, JsValue> {
    let options = options::read(&options).map_err(|error| error::rtc_error(&error))?;
    let connection = crate::connect(url, options).await.map_err(|error| error::rtc_error(&error))?;
    let (channel, handlers) = (connection.channel(), Rc::<Handlers>::default());
    spawn_local(Rc::clone(&handlers).serve(channel.clone(), connection.closed()));
    Ok(JsConnection { connection, channel, handlers })
}

/// An event as a plain object. What an event tells stands beside what all events have, as in its JSON; put together here,
/// because what Serde flattens, it makes a map of first.
fn plain(event: &TraceEvent) -> Result<JsValue, JsValue> {
    let object = Object::new();
    // Setting a property of a fresh object does not throw.
    let set = |name: &str, value: JsValue| Reflect::set(&object, &name.into(), &value).is_ok();
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    set("step", event.step.label().into());
    set("side", event.side.serialize(&serializer)?);
    set("at", event.at.into());
    Ok(Object::assign(&object, event.data.serialize(&serializer)?.unchecked_ref()).into())
}

/// A connection and its channel. As a WebSocket it lives until it is closed, whether or not anyone holds it.
#[wasm_bindgen(js_name = Connection)]
pub struct JsConnection {
    connection: Connection,
    channel: Channel,
    handlers: Rc<Handlers>,
}

#[wasm_bindgen(js_class = Connection)]
impl JsConnection {
    /// The session's name on the server, if it named one.
    #[wasm_bindgen(getter, js_name = sessionId)]
    pub fn session_id(&self) -> Option<String> {
        self.connection.session_id().map(|id| id.to_string())
    }

    /// How the connection is.
    #[wasm_bindgen(getter, unchecked_return_type = "'connected' | 'disconnected' | 'closed'")]
    pub fn state(&self) -> String {
        let state = match self.connection.state() {
            ConnectionState::Connected => "connected",
            ConnectionState::Disconnected => "disconnected",
            ConnectionState::Closed => "closed",
        };
        state.to_owned()
    }

    /// How many bytes wait to be sent.
    #[wasm_bindgen(getter, js_name = bufferedAmount)]
    pub fn buffered_amount(&self) -> u32 {
        self.channel.buffered_amount()
    }

    /// The largest message that the other side takes, in bytes, if there is a limit.
    #[wasm_bindgen(getter, js_name = maxMessageSize)]
    pub fn max_message_size(&self) -> Option<u32> {
        self.channel.max_message_size()
    }

    /// Everything that happened, from the first step on, as plain objects.
    #[wasm_bindgen(getter, unchecked_return_type = "TraceEvent[]")]
    pub fn trace(&self) -> Result<JsValue, JsValue> {
        let events = self.connection.trace().events();
        events.iter().map(plain).collect::<Result<Array, _>>().map(JsValue::from)
    }

    /// Sends text or bytes, or throws a `SendError`: when it is not open, when the message is too large, and when
    /// 1 MiB already waits. `ready` tells when it goes on.
    pub fn send(
        &self,
        #[wasm_bindgen(unchecked_param_type = "string | Uint8Array | ArrayBuffer")] data: &JsValue,
    ) -> Result<(), JsValue> {
        let message = if let Some(text) = data.as_string() {
            Message::Text(text)
        } else if let Some(bytes) = data.dyn_ref::<Uint8Array>() {
            Message::Binary(bytes.to_vec())
        } else if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
            Message::Binary(Uint8Array::new(buffer).to_vec())
        } else {
            return Err(TypeError::new("send takes a string, a Uint8Array or an ArrayBuffer").into());
        };
        self.channel.send_now(&message).map_err(|error| error::send_error(&error))
    }

    /// Resolves when `send` takes a message. Rejects if the channel closes.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn ready(&self) -> Promise {
        let channel = self.channel.clone();
        future_to_promise(async move {
            channel.ready().await.map_err(|error| error::send_error(&error))?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// Called for each message with a `MessageEvent`, whose `data` is a string or an `ArrayBuffer`. Messages that
    /// come before it is set wait for it.
    #[wasm_bindgen(getter, unchecked_return_type = "((event: MessageEvent) => void) | undefined")]
    pub fn onmessage(&self) -> Option<Function> {
        self.handlers.message()
    }

    /// See the getter.
    #[wasm_bindgen(setter)]
    pub fn set_onmessage(
        &self,
        #[wasm_bindgen(unchecked_param_type = "((event: MessageEvent) => void) | null | undefined")] handler: Option<
            Function,
        >,
    ) {
        self.handlers.set_message(handler);
    }

    /// Called once, after the last message, with a `CloseInfo`; at once if it is set when all is over.
    #[wasm_bindgen(getter, unchecked_return_type = "((info: CloseInfo) => void) | undefined")]
    pub fn onclose(&self) -> Option<Function> {
        self.handlers.close()
    }

    /// See the getter.
    #[wasm_bindgen(setter)]
    pub fn set_onclose(
        &self,
        #[wasm_bindgen(unchecked_param_type = "((info: CloseInfo) => void) | null | undefined")]
        handler: Option<Function>,
    ) {
        self.handlers.set_close(handler);
    }

    /// Closes the connection, and tells the server.
    pub fn close(&self) {
        self.connection.close();
    }
}
