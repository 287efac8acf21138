//! The bar at the top: the name of the project and the language switch.

use leptos::prelude::*;

use crate::language::{LANGUAGES, Lang, Language};

/// The bar at the top.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="top">
            <p class="brand">
                <svg class="brand-mark" viewBox="0 0 24 16" aria-hidden="true">
                    <path class="brand-wire" d="M4 8h16" />
                    <circle class="brand-browser" cx="4" cy="8" r="4" />
                    <circle class="brand-server" cx="20" cy="8" r="4" />
                </svg>
                "hola-webrtc"
            </p>
            <LanguageSwitch />
        </header>
    }
}

#[component]
fn LanguageSwitch() -> impl IntoView {
    let language = Language::expect();
    let button = move |lang: Lang| {
        view! {
            <button
                type="button"
                lang=lang.tag()
                data-lang=lang.tag()
                aria-pressed=move || (language.get() == lang).to_string()
                on:click=move |_| language.choose(lang)
            >
                {lang.language_name()}
            </button>
        }
    };
    view! {
        <div id="language" class="switch" role="group" aria-label=move || language.get().language_switch()>
            {LANGUAGES.map(button).collect_view()}
        </div>
    }
}
