//! One of the eight steps, with its parts if it has any.

use hola_webrtc_protocol::{Side, Step};
use leptos::prelude::*;

use crate::{
    data_view::DataView,
    demo::Demo,
    format,
    language::{Lang, Language},
    steps::{Progress, StepState, Steps, actor, parts},
    wording,
};

/// The step with this number, 1 to 8.
#[component]
pub fn StepItem(number: u8) -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let progress = Memo::new(move |_| demo.steps.with(|steps| steps.overview(number)));
    let state = Memo::new(move |_| progress.get().state);
    let actor = actor(number);
    let steps: Vec<Step> = parts(number).collect();
    let (spec, body) = match *steps.as_slice() {
        [step] => (Some(view! { <SpecLink step /> }), view! { <DataView step /> }.into_any()),
        _ => (None, view! { <Parts steps /> }.into_any()),
    };
    view! {
        <li class="step" data-step=number.to_string() data-state=move || state.get().as_str()
            data-actor=actor_name(actor) aria-current=move || (state.get() == StepState::Active).then_some("step")>
            <div class="step-body">
                <div class="step-head">
                    <h3>
                        <span class="hidden">{move || language.get().step_number(number)} " "</span>
                        {move || wording::step_title(language.get(), number)}
                        <span class="hidden">
                            {move || spoken_state(language.get(), actor, state.get())}
                        </span>
                    </h3>
                    <Times progress />
                </div>
                <p class="step-text">
                    {move || wording::step_text(language.get(), number)}
                    {spec}
                </p>
                {body}
            </div>
            <Nodes number />
            <Wire number state />
        </li>
    }
}

/// The parts of step 6 or 8.
#[component]
fn Parts(steps: Vec<Step>) -> impl IntoView {
    view! {
        <ol class="parts" role="list">
            {steps.into_iter().map(|step| view! { <Part step /> }).collect_view()}
        </ol>
    }
}

/// A part of step 6 or 8.
#[component]
fn Part(step: Step) -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let progress = Memo::new(move |_| {
        let Progress { state, at, took } = demo.steps.with(|steps| steps.progress(step));
        // The server's clock is not the browser's: of its parts we know how long they took, not when.
        Progress { state, at: at.filter(|_| step.side() != Some(Side::Server)), took }
    });
    let state = Memo::new(move |_| progress.get().state);
    view! {
        <li class="part" data-step=step.label() data-state=move || state.get().as_str()>
            <div class="step-head">
                <h4>
                    <span class="part-label">{step.label()}</span>
                    " "
                    {move || wording::part_title(language.get(), step)}
                    <span class="hidden">
                        {move || format!(" ({})", wording::state(language.get(), state.get()))}
                    </span>
                </h4>
                <Times progress />
            </div>
            <p class="step-text">
                {move || wording::part_text(language.get(), step)}
                <SpecLink step />
            </p>
            <DataView step />
        </li>
    }
}

/// Since when, and how long.
#[component]
fn Times(progress: Memo<Progress>) -> impl IntoView {
    let language = Language::expect();
    let at = move || progress.get().at;
    let took = move || progress.get().took;
    view! {
        <p class="times">
            <time datetime=move || at().map(format::duration_attribute)
                title=move || at().map(|_| language.get().since_start())>
                {move || at().map(format::since_start)}
            </time>
            <span class="took">
                {move || took().map(|took| language.get().duration(format::milliseconds(took)))}
            </span>
        </p>
    }
}

/// The call that the step is made of, as a link to its place in the standards.
#[component]
fn SpecLink(step: Step) -> impl IntoView {
    let language = Language::expect();
    let name = wording::call(step);
    view! {
        " "
        <a class="spec" href=step.spec() target="_blank" rel="noopener noreferrer"
                aria-label=move || language.get().specification(name)>
                <code>{name}</code>
            </a>
    }
}

/// The step's number on the line of whoever takes it.
#[component]
fn Nodes(number: u8) -> impl IntoView {
    let actor = actor(number);
    let node = |class, is_there: bool| {
        is_there.then(|| view! { <span class=class aria-hidden="true">{number}</span> })
    };
    view! {
        {node("node node-browser", actor != Some(Side::Server))}
        {node("node node-server", actor != Some(Side::Client))}
    }
}

/// What travels between the two when the step is taken.
#[component]
fn Wire(number: u8, state: Memo<StepState>) -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let has_left = Memo::new(move |_| match number {
        5 => demo.steps.with(|steps| steps.data(Step::SendOffer).request.is_some()),
        _ => state.get() == StepState::Done,
    });
    let direction = match number {
        5 => "to-server",
        6 => "to-browser",
        8 => "both",
        _ => return ().into_any(),
    };
    view! {
        <p class="wire" data-direction=direction data-sent=move || has_left.get().to_string() aria-hidden="true">
            <span class="wire-label">{move || demo.steps.with(|steps| load(steps, language.get(), number))}</span>
        </p>
    }
    .into_any()
}

fn load(steps: &Steps, lang: Lang, number: u8) -> String {
    let data = steps.data(Step::SendOffer);
    match (number, &data.request, &data.response) {
        (5, Some((_, bytes)), _) => format!("{} · {}", lang.wire_offer(), format::bytes(*bytes)),
        (5, ..) => lang.wire_offer().to_owned(),
        (6, _, Some((status, _))) => format!("{} · HTTP {status}", lang.wire_answer()),
        (6, ..) => lang.wire_answer().to_owned(),
        _ => match &steps.data(Step::OpenChannel).channel {
            Some(channel) => format!("{} {}", lang.wire_channel(), lang.quoted(&channel.label)),
            None => lang.wire_channel().to_owned(),
        },
    }
}

fn spoken_state(lang: Lang, side: Option<Side>, state: StepState) -> String {
    format!(" ({}, {})", wording::actor(lang, side), wording::state(lang, state))
}

const fn actor_name(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Client) => "browser",
        Some(Side::Server) => "server",
        None => "both",
    }
}
