//! The browser's events: one function for those of many targets, instead of one for each.

use std::cell::RefCell;

use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Event, EventTarget};

/// Listens to events until it is dropped.
pub(crate) struct Listener {
    handle: Closure<dyn FnMut(Event)>,
    targets: RefCell<Vec<(EventTarget, Types)>>,
}

/// The names of events.
type Types = &'static [&'static str];

impl Listener {
    /// Nothing is heard before [`listen`](Self::listen).
    pub(crate) fn new(handle: impl FnMut(Event) + 'static) -> Self {
        Self { handle: Closure::new(handle), targets: RefCell::default() }
    }

    /// Hears these events of the target as well.
    pub(crate) fn listen(&self, target: &EventTarget, types: Types) {
        for event in types {
            // It fails for no listener.
            let _ = target.add_event_listener_with_callback(event, self.handle.as_js_value().unchecked_ref());
        }
        self.targets.borrow_mut().push((target.clone(), types));
    }

    /// Hears nothing of the target any more.
    pub(crate) fn forget(&self, target: &EventTarget) {
        self.targets.borrow_mut().retain(|(known, types)| {
            let others = known != target;
            if !others {
                self.deregister(known, types);
            }
            others
        });
    }

    fn deregister(&self, target: &EventTarget, types: Types) {
        for event in types {
            let _ =
                target.remove_event_listener_with_callback(event, self.handle.as_js_value().unchecked_ref());
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for (target, types) in self.targets.take() {
            self.deregister(&target, types);
        }
    }
}
