//! The page as a whole.

use leptos::prelude::*;

use crate::{
    chat::Chat, controls::Controls, demo::Demo, header::Header, language::Language, notice::Notice,
    step_list::StepList,
};

/// Everything from the title to the foot.
#[component]
pub fn App() -> impl IntoView {
    let language = Language::provide();
    Demo::provide(language);
    view! {
        <Header />
        <main class="page">
            <div class="story">
                <section class="intro">
                    <h1>{move || language.get().page_title()}</h1>
                    <p class="lead">{move || language.get().page_lead()}</p>
                    <Controls />
                    <Notice />
                </section>
                <StepList />
            </div>
            <Chat />
        </main>
        <footer class="page-footer">
            <p>{move || language.get().page_footer()}</p>
        </footer>
    }
}
