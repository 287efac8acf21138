//! The eight steps as a sequence: the browser's line on the left, the server's on the right, and between them
//! what travels from one to the other.

use leptos::prelude::*;

use crate::{
    demo::{Demo, Status},
    language::Language,
    step_item::StepItem,
};

/// The eight steps.
#[component]
pub fn StepList() -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    view! {
        <section class="sequence" aria-labelledby="steps-heading">
            <h2 id="steps-heading">{move || language.get().steps_heading()}</h2>
            <div class="actors" aria-hidden="true">
                <p class="actor actor-browser">
                    <svg viewBox="0 0 20 20">
                        <rect x="2" y="3.5" width="16" height="13" rx="2" />
                        <path d="M2 7.5h16M4.8 5.5h.01M7 5.5h.01" />
                    </svg>
                    {move || language.get().browser()}
                </p>
                <p class="actor actor-server">
                    {move || language.get().server()}
                    <svg viewBox="0 0 20 20">
                        <rect x="2.5" y="3" width="15" height="6" rx="1.5" />
                        <rect x="2.5" y="11" width="15" height="6" rx="1.5" />
                        <path d="M5.5 6h.01M5.5 14h.01" />
                    </svg>
                </p>
            </div>
            <ol id="steps" class="steps" role="list">
                {(1..=8).map(|number| view! { <StepItem number /> }).collect_view()}
            </ol>
            <a class="jump" href="#chat-heading" hidden=move || demo.status.get() != Status::Open>
                {move || language.get().jump_to_chat()}
            </a>
        </section>
    }
}
