//! The button to start, the one to close, how the connection is, and the session's name.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;

use crate::{
    chat::{MESSAGE, SEND},
    demo::{Demo, Status},
    failure::{Failure, FailureKind},
    format,
    language::{Lang, Language},
    steps::Steps,
};

/// The buttons' names in the document.
const START: &str = "start";
const CLOSE: &str = "close";

/// How many digits of the session's name the badge shows.
const SHORT_ID: usize = 8;

/// The controls of the connection.
#[component]
pub fn Controls() -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let is_busy = Memo::new(move |_| demo.status.get().is_busy());
    keep_focus(demo);

    view! {
        <section class="controls" aria-label=move || language.get().controls()>
            <button id=START class="primary" type="button" hidden=is_busy
                disabled=is_busy
                on:click=move |_| demo.start()>
                {move || match demo.status.get() {
                    Status::Idle => language.get().start(),
                    _ => language.get().start_again(),
                }}
            </button>
            <button id=CLOSE class="secondary" type="button" hidden=move || !is_busy.get()
                on:click=move |_| demo.close()>
                {move || match demo.status.get() {
                    Status::Connecting => language.get().cancel(),
                    _ => language.get().close(),
                }}
            </button>
            <p id="status" class="status" role="status" data-status=move || demo.status.get().as_str()
                data-silent=move || is_silent(demo).to_string()>
                <span class="status-light" aria-hidden="true"></span>
                <span>{move || sentence(demo, language.get())}</span>
            </p>
            <SessionBadge />
        </section>
    }
}

#[component]
fn SessionBadge() -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let id = Memo::new(move |_| demo.steps.with(|steps| steps.session().map(|id| id.to_string())));
    view! {
        <p id="session" class="badge" hidden=move || id.get().is_none() data-session=move || id.get()
            title=move || id.get().map(|id| language.get().session_title(id))>
            {move || language.get().session()}
            " "
            <code>{move || id.get().map(|id| id[..SHORT_ID.min(id.len())].to_owned())}</code>
        </p>
    }
}

/// Whether the channel is open and nothing comes.
fn is_silent(demo: Demo) -> bool {
    demo.status.get() == Status::Open && demo.steps.with(Steps::is_silent)
}

fn sentence(demo: Demo, lang: Lang) -> String {
    let is_lost =
        || demo.failure.with(|failure| failure.as_ref().map(Failure::kind)) == Some(FailureKind::Lost);
    let sentence = match demo.status.get() {
        Status::Idle => lang.status_idle(),
        Status::Connecting => lang.status_connecting(),
        Status::Open if is_silent(demo) => lang.status_silent(),
        Status::Open => match demo.steps.with(Steps::opened_at) {
            Some(at) => return lang.status_open_after(format::milliseconds(at)),
            None => lang.status_open(),
        },
        Status::Closed => lang.status_closed(),
        Status::Failed if is_lost() => lang.status_lost(),
        Status::Failed => lang.status_failed(),
    };
    sentence.to_owned()
}

/// The focus never falls off a button that goes away: it moves on to the one that takes its place, and, when the
/// channel opens, to the field to write in, unless that would push a keyboard over a small screen.
fn keep_focus(demo: Demo) {
    let focused = || document().active_element().map(|element| element.id()).unwrap_or_default();
    // By the time a change of the status is seen here, the button that went away has lost the focus.
    let last_focused = StoredValue::new(String::new());
    let listener = window_event_listener(ev::focusin, move |_| last_focused.set_value(focused()));
    on_cleanup(move || listener.remove());

    Effect::new(move |last: Option<Status>| {
        let status = demo.status.get();
        let focused = Some(focused()).filter(|id| !id.is_empty()).unwrap_or_else(|| last_focused.get_value());
        let next = match (status, focused.as_str()) {
            _ if last.is_none() => None,
            (Status::Open, START | CLOSE) if has_room_to_write() => Some(MESSAGE),
            (Status::Connecting | Status::Open, START) => Some(CLOSE),
            (Status::Idle | Status::Closed | Status::Failed, CLOSE | MESSAGE | SEND) => Some(START),
            _ => None,
        };
        if let Some(id) = next {
            // Once the buttons have changed places.
            queue_microtask(move || focus(id));
        }
        status
    });
}

/// Puts the focus there, without scrolling.
fn focus(id: &str) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        // What is shown and enabled takes the focus; there is nothing to do about what is not.
        let _ = element.focus_with_options(&options);
    }
}

/// A mouse and a wide window: the field is in view, and focusing it opens no keyboard.
fn has_room_to_write() -> bool {
    let query = window().match_media("(min-width: 60rem) and (hover: hover)");
    query.is_ok_and(|query| query.is_some_and(|query| query.matches()))
}
