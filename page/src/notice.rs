//! What went wrong and what to do about it, where it cannot be overlooked.

use leptos::prelude::*;

use crate::{demo::Demo, failure::Failure, language::Language};

/// The notice, while there is something to say.
#[component]
pub fn Notice() -> impl IntoView {
    let demo = Demo::expect();
    move || demo.failure.get().map(notice)
}

fn notice(failure: Failure) -> impl IntoView {
    let language = Language::expect();
    let failure = StoredValue::new(failure);
    let kind = failure.with_value(Failure::kind).as_str();
    let link = failure.with_value(|failure| failure.link().map(str::to_owned));
    let detail = failure.with_value(Failure::detail);
    view! {
        <div id="notice" class="notice" role="alert" data-kind=kind>
            <h2>{move || failure.with_value(|failure| failure.title(language.get()))}</h2>
            <p>{move || failure.with_value(|failure| failure.text(language.get()))}</p>
            {link.map(|url| {
                let text = url.clone();
                view! {
                    <p>
                        <a class="notice-link" href=url target="_blank" rel="noopener">
                            {move || language.get().notice_certificate_link(&text)}
                        </a>
                    </p>
                }
            })}
            {detail.map(|detail| {
                view! {
                    <p class="notice-detail">
                        {move || language.get().notice_cause()} ": " <code lang="en">{detail}</code>
                    </p>
                }
            })}
        </div>
    }
}
