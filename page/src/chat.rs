//! The chat over the channel.

use leptos::{ev::SubmitEvent, html, prelude::*};

use crate::{
    chat_log::{Author, Content, Entry},
    demo::{Demo, Status},
    format,
    language::{Lang, Language},
};

/// The names of the field and of its button in the document.
pub const MESSAGE: &str = "message";
pub const SEND: &str = "send";

/// The messages and the field to write one.
#[component]
pub fn Chat() -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let is_open = Memo::new(move |_| demo.status.get() == Status::Open);
    view! {
        <section id="chat" class="chat" aria-labelledby="chat-heading" data-open=move || is_open.get().to_string()>
            <h2 id="chat-heading" tabindex="-1">{move || language.get().chat_heading()}</h2>
            <p class="chat-lead">{move || language.get().chat_lead()}</p>
            <Log />
            <Form is_open />
        </section>
    }
}

#[component]
fn Log() -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let log = NodeRef::<html::Ol>::new();
    let entries = move || demo.chat.with(|chat| chat.entries().cloned().collect::<Vec<_>>());
    Effect::new(move || {
        demo.chat.with(|_| ());
        // Once the new message is in place.
        request_animation_frame(move || {
            if let Some(log) = log.get_untracked() {
                log.set_scroll_top(log.scroll_height());
            }
        });
    });
    view! {
        <div class="chat-window">
            <p class="chat-empty" hidden=move || demo.chat.with(|chat| chat.count() > 0)>
                {move || language.get().chat_empty()}
            </p>
            <ol id="chat-log" class="chat-log" role="log" aria-live="polite" tabindex="0" node_ref=log
                aria-label=move || language.get().chat_log()>
                <For each=entries key=|entry| entry.id let:entry>
                    <Line entry />
                </For>
            </ol>
        </div>
    }
}

#[component]
fn Line(entry: Entry) -> impl IntoView {
    let language = Language::expect();
    let Entry { author, content, .. } = entry;
    let text = match content {
        Content::Text(text) => view! { <p class="text" dir="auto">{text}</p> }.into_any(),
        Content::Binary(size) => view! {
            <p class="text">{move || language.get().chat_binary(format::bytes(size))}</p>
        }
        .into_any(),
    };
    // In a log a line is no list item.
    view! {
        <li class="line" role="none" data-from=author.as_str()>
            <p class="author">{move || author_name(language.get(), author)}</p>
            {text}
            {match author {
                Author::Echo { round_trip } => Some(view! {
                    <p class="rtt">
                        {move || language.get().chat_round_trip(format::milliseconds(round_trip))}
                    </p>
                }),
                _ => None,
            }}
        </li>
    }
}

#[component]
fn Form(is_open: Memo<bool>) -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let field = NodeRef::<html::Input>::new();
    let (refusal, set_refusal) = signal(None::<String>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        let text = field.value();
        if text.is_empty() {
            return;
        }
        match demo.send(text) {
            Ok(()) => {
                field.set_value("");
                set_refusal.set(None);
            }
            Err(error) => set_refusal.set(Some(error.to_string())),
        }
    };
    let hint = move || {
        let lang = language.get();
        match (demo.status.get(), refusal.get()) {
            (Status::Open, Some(cause)) => lang.chat_not_sent(cause),
            (status, _) => hint(lang, status).to_owned(),
        }
    };
    view! {
        <form class="chat-form" on:submit=submit>
            <label class="hidden" for=MESSAGE>{move || language.get().chat_message()}</label>
            <input id=MESSAGE type="text" autocomplete="off" enterkeyhint="send" node_ref=field
                aria-describedby="message-hint" disabled=move || !is_open.get()
                placeholder=move || is_open.get().then(|| language.get().chat_placeholder()) />
            <button id=SEND class="primary" type="submit" disabled=move || !is_open.get()>
                {move || language.get().chat_send()}
            </button>
            <p id="message-hint" class="hint">{hint}</p>
        </form>
    }
}

/// Why nothing can be written, or how it is sent.
fn hint(lang: Lang, status: Status) -> &'static str {
    match status {
        Status::Idle => lang.chat_hint_idle(),
        Status::Connecting => lang.chat_hint_connecting(),
        Status::Open => lang.chat_hint_open(),
        Status::Closed | Status::Failed => lang.chat_hint_closed(),
    }
}

fn author_name(lang: Lang, author: Author) -> &'static str {
    match author {
        Author::Me => lang.chat_me(),
        Author::Echo { .. } => lang.chat_echo(),
        Author::Server => lang.chat_server(),
    }
}
