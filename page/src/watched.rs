//! What the server tells of its side of a step.

use hola_webrtc_protocol::{Step, TraceData};
use leptos::prelude::*;

use crate::{
    data_view::{section, socket},
    demo::Demo,
    format,
    language::{Lang, Language},
    step_data,
    steps::Steps,
    wording,
};

/// The server's events in a step, on the browser's timeline.
#[component]
pub fn Watched(step: Step) -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let watched = Memo::new(move |_| demo.steps.with(|steps| steps.data(step).watched.clone()));
    let arrived_at = Memo::new(move |_| demo.steps.with(Steps::arrived_at));
    move || {
        let lang = language.get();
        let rows = watched
            .with(|events| events.iter().map(|event| row(lang, event, arrived_at.get())).collect_view());
        (!watched.with(Vec::is_empty)).then(|| section(lang.data_watched(), table(lang, rows).into_any()))
    }
}

fn table(lang: Lang, rows: impl IntoView) -> impl IntoView {
    view! {
        <div class="scroll" role="group" tabindex="0" aria-label=lang.data_watched()>
            <table class="watched" translate="no">
                <thead>
                    <tr>
                        <th scope="col">{lang.data_when()}</th>
                        <th scope="col">{lang.data_event()}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn row(lang: Lang, event: &step_data::Watched, arrived_at: Option<f64>) -> impl IntoView + use<> {
    let at = arrived_at.map(|arrived| arrived + event.at);
    let name = event.data.name();
    view! {
        <tr data-event=name>
            <td>
                <time datetime=at.map(format::duration_attribute)>
                    <code>{at.map(format::since_start)}</code>
                </time>
            </td>
            <td><code class="state">{name} " " {detail(lang, &event.data)}</code></td>
        </tr>
    }
}

/// What there is to say in a line.
fn detail(lang: Lang, data: &TraceData) -> String {
    match data {
        TraceData::Done { took } => format::milliseconds(*took),
        TraceData::State { machine, state } => format!("{} {state}", wording::machine(*machine)),
        TraceData::Candidate { candidate } => {
            format!("{} {}", candidate.kind.as_str(), socket(lang, candidate))
        }
        TraceData::CandidatePair { local, remote } => {
            format!("{} – {}", socket(lang, local), socket(lang, remote))
        }
        TraceData::Channel { label, id, .. } => format!("{} {id}", lang.quoted(label)),
        TraceData::ChannelClosed { id, reason } => format!("{id} {reason}"),
        TraceData::Failed { message, .. } => message.clone(),
        TraceData::Closed { by, reason } => [by.name(), reason.as_deref().unwrap_or_default()].join(" "),
        // The rest is told at length elsewhere, or is all said by its name.
        _ => String::new(),
    }
}
