//! The button to start, the one to close, how the connection is, and the session's name.

use leptos::{html, prelude::*};

use crate::{
    demo::{Demo, Status},
    failure::{Failure, FailureKind},
    format,
    language::{Lang, Language},
    steps::Steps,
};

/// How many digits of the session's name the badge shows.
const SHORT_ID: usize = 8;

/// The controls of the connection.
#[component]
pub fn Controls() -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let start = NodeRef::<html::Button>::new();
    let close = NodeRef::<html::Button>::new();
    let is_busy = Memo::new(move |_| demo.status.get().is_busy());
    keep_focus(demo, start, close);

    view! {
        <section class="controls" aria-label=move || language.get().controls()>
            <button id="start" class="primary" type="button" node_ref=start hidden=is_busy
                on:click=move |_| demo.start()>
                {move || match demo.status.get() {
                    Status::Idle => language.get().start(),
                    _ => language.get().start_again(),
                }}
            </button>
            <button id="close" class="secondary" type="button" node_ref=close hidden=move || !is_busy.get()
                on:click=move |_| demo.close()>
                {move || match demo.status.get() {
                    Status::Connecting => language.get().cancel(),
                    _ => language.get().close(),
                }}
            </button>
            <p id="status" class="status" role="status" data-status=move || demo.status.get().as_str()>
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

fn sentence(demo: Demo, lang: Lang) -> String {
    let is_lost =
        || demo.failure.with(|failure| failure.as_ref().map(Failure::kind)) == Some(FailureKind::Lost);
    let sentence = match demo.status.get() {
        Status::Idle => lang.status_idle(),
        Status::Connecting => lang.status_connecting(),
        Status::Open if demo.steps.with(Steps::is_silent) => lang.status_silent(),
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
fn keep_focus(demo: Demo, start: NodeRef<html::Button>, close: NodeRef<html::Button>) {
    Effect::new(move |last: Option<Status>| {
        let status = demo.status.get();
        let focused = document().active_element().map(|element| element.id()).unwrap_or_default();
        let next = match status {
            _ if last.is_none() => None,
            Status::Open if focused == "close" && has_room_to_write() => {
                crate::chat::focus_message();
                None
            }
            Status::Connecting if focused == "start" => close.get_untracked(),
            Status::Idle | Status::Closed | Status::Failed
                if ["close", "message", "send"].contains(&focused.as_str()) =>
            {
                start.get_untracked()
            }
            _ => None,
        };
        if let Some(button) = next {
            // A button that is shown takes the focus; there is nothing to do about one that does not.
            let _ = button.focus();
        }
        status
    });
}

/// A mouse and a wide window: the field is in view, and focusing it opens no keyboard.
fn has_room_to_write() -> bool {
    let query = window().match_media("(min-width: 60rem) and (hover: hover)");
    query.is_ok_and(|query| query.is_some_and(|query| query.matches()))
}
