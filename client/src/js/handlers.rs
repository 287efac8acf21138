//! The functions that a page sets to hear of messages and of the end.

use std::{cell::RefCell, future::Future, pin::pin, rc::Rc};

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::{MessageEvent, MessageEventInit};

use super::error;
use crate::{Channel, Closed, Message, changes::Changes};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Why a connection ended. */
export interface CloseInfo {
    by: "local" | "remote" | "failure";
    /** Only if it failed. */
    error?: RtcError;
}
"#;

#[wasm_bindgen]
extern "C" {
    /// <https://html.spec.whatwg.org/multipage/webappapis.html#dom-reporterror>
    #[wasm_bindgen(catch, js_name = reportError)]
    fn report_error(error: &JsValue) -> Result<(), JsValue>;
}

/// What a page set, if anything.
#[derive(Default)]
pub(super) struct Handlers {
    message: RefCell<Option<Function>>,
    close: RefCell<Option<Function>>,
    /// How it ended, once it has.
    ended: RefCell<Option<JsValue>>,
    changes: Changes,
}

impl Handlers {
    pub(super) fn message(&self) -> Option<Function> {
        self.message.borrow().clone()
    }

    pub(super) fn set_message(&self, handler: Option<Function>) {
        self.message.replace(handler);
        self.changes.notify();
    }

    pub(super) fn close(&self) -> Option<Function> {
        self.close.borrow().clone()
    }

    pub(super) fn set_close(&self, handler: Option<Function>) {
        self.close.replace(handler);
        self.tell_end();
    }

    /// Calls the handlers, until all is over. A message waits until there is one for it, or the end is reached.
    pub(super) async fn serve(self: Rc<Self>, mut channel: Channel, closed: impl Future<Output = Closed>) {
        let mut closed = pin!(closed);
        while let Some(message) = channel.next().await {
            // A handler that is set comes first, so that what had arrived is still told after the end.
            match select(pin!(self.changes.until(|| self.message())), &mut closed).await {
                Either::Left((handler, _)) => call(&handler, &message_event(message)),
                Either::Right((how, _)) => return self.end(&how),
            }
        }
        self.end(&closed.await);
    }

    fn end(&self, how: &Closed) {
        let info = Object::new();
        let (by, error) = match how {
            Closed::Local => ("local", JsValue::UNDEFINED),
            Closed::Remote => ("remote", JsValue::UNDEFINED),
            Closed::Failed(error) => ("failure", error::rtc_error(error)),
        };
        // Setting a property of a fresh object does not throw.
        let _ = Reflect::set(&info, &"by".into(), &by.into());
        if !error.is_undefined() {
            let _ = Reflect::set(&info, &"error".into(), &error);
        }
        self.ended.replace(Some(info.into()));
        self.tell_end();
    }

    /// Tells the end once, as soon as there is one and somebody to tell.
    fn tell_end(&self) {
        if let Some(handler) = self.close()
            && let Some(info) = self.ended.take()
        {
            call(&handler, &info);
        }
    }
}

fn message_event(message: Message) -> JsValue {
    let data = match message {
        Message::Text(text) => JsValue::from(text),
        Message::Binary(bytes) => Uint8Array::from(&bytes[..]).buffer().into(),
    };
    let init = MessageEventInit::new();
    init.set_data(&data);
    MessageEvent::new_with_event_init_dict("message", &init).map_or_else(JsValue::from, JsValue::from)
}

/// Calls a page's function. What it throws is the page's affair, and goes where uncaught errors go.
fn call(handler: &Function, argument: &JsValue) {
    if let Err(thrown) = handler.call1(&JsValue::UNDEFINED, argument) {
        // A browser without `reportError` has nowhere to put it.
        let _ = report_error(&thrown);
    }
}
