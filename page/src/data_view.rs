//! The real data of a step, to unfold.

use hola_webrtc_protocol::{Candidate, SdpType, SessionDescription, Step};
use leptos::prelude::*;

use crate::{
    demo::Demo,
    format,
    language::{Lang, Language},
    step_data::{CandidateFailure, OpenedChannel, StateChange, StepData},
    watched::Watched,
    wording,
};

/// What became known in a step, once something did.
#[component]
pub fn DataView(step: Step) -> impl IntoView {
    let demo = Demo::expect();
    let language = Language::expect();
    let data = Memo::new(move |_| demo.steps.with(|steps| steps.data(step).clone()));
    let is_empty = Memo::new(move |_| data.with(StepData::is_empty));
    // The element stays while its content changes, so that it stays unfolded.
    view! {
        <details class="data" hidden=is_empty>
            <summary>{move || data.with(|data| summary(data, language.get()))}</summary>
            <div class="data-body">
                {move || data.with(|data| sections(data, language.get()))}
                <Watched step />
            </div>
        </details>
    }
}

/// Names what there is to see.
fn summary(data: &StepData, lang: Lang) -> String {
    let names = [
        data.request.as_ref().map(|_| lang.data_request().to_owned()),
        data.response.as_ref().map(|_| lang.data_response().to_owned()),
        data.description.as_ref().map(|description| description_name(lang, description).to_owned()),
        data.pair.as_ref().map(|_| lang.data_pair().to_owned()),
        data.channel.as_ref().map(|_| lang.data_channel().to_owned()),
        (!data.candidates.is_empty()).then(|| lang.data_candidates_count(data.candidates.len())),
        (!data.candidate_failures.is_empty()).then(|| lang.data_candidate_failures().to_owned()),
        (!data.states.is_empty()).then(|| lang.data_states().to_owned()),
        data.failure.as_ref().map(|_| lang.data_failure().to_owned()),
        (!data.watched.is_empty()).then(|| lang.data_watched().to_owned()),
    ];
    names.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn sections(data: &StepData, lang: Lang) -> impl IntoView + use<> {
    view! {
        {data.failure.as_ref().map(|(_, message)| {
            let text = view! { <p><code lang="en">{message.clone()}</code></p> };
            section(lang.data_failure(), text.into_any())
        })}
        {data.request.as_ref().map(|(url, bytes)| {
            let text = format!("POST {url} · {}", format::bytes(*bytes));
            section(lang.data_request(), view! { <p><code>{text}</code></p> }.into_any())
        })}
        {data.response.map(|(status, session)| {
            let session = session.map(|id| format!(" · Location: {}", hola_webrtc_protocol::signal::session_path(id)));
            let text = format!("HTTP {status}{}", session.unwrap_or_default());
            section(lang.data_response(), view! { <p><code>{text}</code></p> }.into_any())
        })}
        {data.description.as_ref().map(|description| {
            let name = description_name(lang, description);
            section(name, sdp(name, &description.sdp).into_any())
        })}
        {data.pair.as_ref().map(|(local, remote)| {
            let rows = [(lang.data_local(), local), (lang.data_remote(), remote)];
            section(lang.data_pair(), candidates(lang, lang.data_pair(), &rows).into_any())
        })}
        {data.channel.as_ref().map(|opened| section(lang.data_channel(), channel(lang, opened).into_any()))}
        {(!data.candidates.is_empty()).then(|| {
            let rows: Vec<_> = data.candidates.iter().map(|candidate| ("", candidate)).collect();
            section(lang.data_candidates(), candidates(lang, lang.data_candidates(), &rows).into_any())
        })}
        {(!data.candidate_failures.is_empty()).then(|| {
            let list = candidate_failures(&data.candidate_failures);
            section(lang.data_candidate_failures(), list.into_any())
        })}
        {(!data.states.is_empty()).then(|| section(lang.data_states(), states(lang, &data.states).into_any()))}
    }
    .into_any()
}

pub fn section(title: &'static str, content: AnyView) -> impl IntoView {
    view! {
        <div class="data-section">
            <p class="data-title">{title}</p>
            {content}
        </div>
    }
}

fn description_name(lang: Lang, description: &SessionDescription) -> &'static str {
    match description.kind {
        SdpType::Offer => lang.data_offer(),
        _ => lang.data_answer(),
    }
}

/// An SDP (RFC 8866), with the name of each line set apart from its value.
fn sdp(name: &'static str, sdp: &str) -> impl IntoView + use<> {
    let line = |line: &str| {
        let end = match line.strip_prefix("a=") {
            Some(attribute) => attribute.find(':').map_or(line.len(), |colon| colon + 2),
            None => line.find('=').unwrap_or_default(),
        };
        let (name, value) = line.split_at(end);
        let (name, value) = (name.to_owned(), format!("{value}\n"));
        view! { <span class="sdp-name">{name}</span> {value} }
    };
    view! {
        <pre class="sdp" role="group" tabindex="0" aria-label=name translate="no">
            <code>{sdp.lines().map(line).collect_view()}</code>
        </pre>
    }
}

/// A table of candidates, each with the side it belongs to if the table has both.
fn candidates(lang: Lang, label: &'static str, rows: &[(&'static str, &Candidate)]) -> impl IntoView + use<> {
    let has_hidden = rows.iter().any(|(_, candidate)| is_hidden(candidate));
    let has_sides = rows.iter().any(|(side, _)| !side.is_empty());
    let row = |&(side, candidate): &(&'static str, &Candidate)| {
        view! {
            <tr>
                {has_sides.then(|| view! { <th scope="row">{side}</th> })}
                <td><code>{candidate.kind.as_str()}</code></td>
                <td class="address"><code>{socket(lang, candidate)}</code></td>
                <td><code>{candidate.transport.clone()}</code></td>
                <td class="number"><code>{candidate.priority}</code></td>
            </tr>
        }
    };
    view! {
        <div class="scroll" role="group" tabindex="0" aria-label=label>
            <table translate="no">
                <thead>
                    <tr>
                        {has_sides.then(|| view! { <td></td> })}
                        <th scope="col">{lang.data_type()}</th>
                        <th scope="col">{lang.data_address()}</th>
                        <th scope="col">{lang.data_transport()}</th>
                        <th scope="col" class="number">{lang.data_priority()}</th>
                    </tr>
                </thead>
                <tbody>{rows.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        {has_hidden.then(|| view! { <p class="note">{lang.data_hidden_note()}</p> })}
    }
}

pub fn socket(lang: Lang, candidate: &Candidate) -> String {
    let Candidate { address, port, .. } = candidate;
    match address.as_str() {
        "" => format!("{}:{port}", lang.data_hidden()),
        _ if address.contains(':') => format!("[{address}]:{port}"),
        _ => format!("{address}:{port}"),
    }
}

/// The address is none, or an mDNS name in its place, for privacy (RFC 8828).
fn is_hidden(candidate: &Candidate) -> bool {
    candidate.address.is_empty() || candidate.address.rsplit('.').next() == Some("local")
}

fn candidate_failures(failures: &[CandidateFailure]) -> impl IntoView + use<> {
    let item = |CandidateFailure { url, code, text }: &CandidateFailure| {
        view! { <li><code>{format!("{url}: {code} {text}")}</code></li> }
    };
    view! { <ul>{failures.iter().map(item).collect_view()}</ul> }
}

fn channel(lang: Lang, channel: &OpenedChannel) -> impl IntoView + use<> {
    let limit = match channel.max_message_size {
        0 => lang.data_channel_unlimited().to_owned(),
        limit => format::bytes(limit),
    };
    view! {
        <dl class="facts">
            <div><dt>{lang.data_channel_label()}</dt><dd><code>{channel.label.clone()}</code></dd></div>
            <div><dt>{lang.data_channel_id()}</dt><dd><code>{channel.id}</code></dd></div>
            <div><dt>{lang.data_channel_limit()}</dt><dd><code>{limit}</code></dd></div>
        </dl>
    }
}

fn states(lang: Lang, states: &[StateChange]) -> impl IntoView + use<> {
    let row = |change: &StateChange| {
        view! {
            <tr>
                <td><code>{format::since_start(change.at)}</code></td>
                <td><code>{wording::machine(change.machine)}</code></td>
                <td><code class="state">{change.state.clone()}</code></td>
            </tr>
        }
    };
    view! {
        <div class="scroll" role="group" tabindex="0" aria-label=lang.data_states()>
            <table translate="no">
                <thead>
                    <tr>
                        <th scope="col">{lang.data_when()}</th>
                        <th scope="col">{lang.data_machine()}</th>
                        <th scope="col">{lang.data_state()}</th>
                    </tr>
                </thead>
                <tbody>{states.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}
