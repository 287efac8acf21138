//! The stream of a session's events.

use bytes::Bytes;
use futures_util::StreamExt;
use hola_webrtc_offerer::http::{is_type, resolve};
use hola_webrtc_protocol::{
    TraceData,
    link::Link,
    signal::{self, TimedEvent},
};
use http_body_util::BodyDataStream;
use hyper::{Request, Response, Uri, body::Incoming, header};

use crate::{
    Check, Fault, Probe, Verdict,
    probe::Session,
    verdict::{broken, ensure, not_offered},
};

const SECTION: &str = "Watching the session";

pub(crate) const CHECKS: &[Check] = &[
    Check::new(SECTION, "the events begin with the offer and end with the session", |probe| {
        Box::pin(whole(probe))
    }),
    Check::new(SECTION, "Last-Event-ID goes on where it was left", |probe| Box::pin(resumed(probe))),
];

/// What the profile has in its table.
const EVENTS: [&str; 8] =
    ["began", "done", "candidate", "candidate-pair", "channel", "channel-closed", "failed", "closed"];

/// An event with its number. Readers pass over those that the profile does not know.
struct Numbered {
    id: u64,
    event: Option<TimedEvent>,
}

async fn whole(probe: &Probe) -> Verdict {
    let (session, connection, _) = probe.connect().await?;
    let reply = open(probe, &session, None).await?;
    let kind =
        reply.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("none");
    ensure(is_type(reply.headers(), "text/event-stream"), || format!("the content type is {kind}"))?;
    probe.end(&session).await?.succeeded(204)?;
    let events = read(reply).await?;
    drop(connection);

    ensure(events.iter().map(|it| it.id).eq(0..events.len() as u64), || {
        let ids: Vec<u64> = events.iter().map(|it| it.id).collect();
        format!("the ids are not 0, 1, 2 and so on: {ids:?}")
    })?;
    let known: Vec<&TimedEvent> = events.iter().filter_map(|it| it.event.as_ref()).collect();
    let times: Vec<f64> = known.iter().map(|event| event.event.at).collect();
    ensure(times.is_sorted(), || format!("`at` goes back: {times:?}"))?;
    for step in ["6a", "6e", "8a", "8b", "8c", "8d"] {
        let is_told = known.iter().any(|event| event.event.step.to_string() == step);
        ensure(is_told, || format!("no event tells of step {step}"))?;
    }
    let is_end = |event: &TimedEvent| {
        let value = serde_json::to_value(event).unwrap_or_default();
        value["event"] == "closed" && value["reason"].is_string()
    };
    let last = events.last().and_then(|it| it.event.as_ref());
    ensure(last.is_some_and(is_end), || "the last event is not `closed` with a reason".to_owned())
}

async fn resumed(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let reply = open(probe, &session, Some("2")).await?;
    probe.end(&session).await?.succeeded(204)?;
    let events = read(reply).await?;
    let first = events.first().map(|it| it.id);
    ensure(first == Some(3), || format!("after Last-Event-ID 2 the first event is {first:?}"))
}

pub(crate) fn url(probe: &Probe, session: &Session) -> Result<Uri, Fault> {
    match session.links(signal::EVENTS_RELATION).first() {
        Some(Link { target, .. }) => {
            let url = resolve(&probe.url, target);
            let Some(url) = url else {
                return broken(format!("the link to the events is no URL: {target:?}"));
            };
            probe.may_follow(&url)?;
            Ok(url)
        }
        None => not_offered("no Link with rel=\"monitor\" leads to events"),
    }
}

/// Watches a session from its first event on, or from the one after this.
pub(crate) async fn open(
    probe: &Probe,
    session: &Session,
    after: Option<&str>,
) -> Result<Response<Incoming>, Fault> {
    let mut request = Request::get(url(probe, session)?).header(header::ACCEPT, "text/event-stream");
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let request = request.body(Bytes::new()).map_err(|error| Fault::Broken(error.to_string()))?;
    let reply = probe.offerer.http().open(request).await?;
    ensure(reply.status() == 200, || format!("the events draw {}", reply.status()))?;
    Ok(reply)
}

/// What the stream tells to its end, but for what the profile does not know.
pub(crate) async fn told(reply: Response<Incoming>) -> Result<Vec<TraceData>, Fault> {
    let events = read(reply).await?.into_iter().filter_map(|it| it.event);
    Ok(events.map(|timed| timed.event.data).collect())
}

/// Reads the stream to its end.
async fn read(reply: Response<Incoming>) -> Result<Vec<Numbered>, Fault> {
    let mut text = Vec::new();
    let mut body = BodyDataStream::new(reply.into_body());
    while let Some(bytes) = body.next().await {
        text.extend_from_slice(
            &bytes.map_err(|error| Fault::Broken(format!("the stream broke off: {error}")))?,
        );
    }
    let Ok(text) = String::from_utf8(text) else { return broken("the stream is not UTF-8") };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let blocks = text.split("\n\n").filter(|block| block.lines().any(|line| line.starts_with("data:")));
    blocks.map(parse).collect()
}

fn parse(block: &str) -> Result<Numbered, Fault> {
    let field = |name: &str| {
        let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.map(|value| value.strip_prefix(' ').unwrap_or(value))
    };
    let (Some(id), Some(data)) = (field("id").and_then(|id| id.parse().ok()), field("data")) else {
        return broken(format!("an event has no number: {block:?}"));
    };
    match serde_json::from_str(data) {
        Ok(event) => Ok(Numbered { id, event: Some(event) }),
        Err(_) if is_unknown(data) => Ok(Numbered { id, event: None }),
        Err(error) => broken(format!("an event is not as the profile says: {error}: {data}")),
    }
}

fn is_unknown(data: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(data).unwrap_or_default();
    value["event"].as_str().is_some_and(|event| !EVENTS.contains(&event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_number() {
        let block =
            "id: 7\ndata: {\"step\":\"6a\",\"side\":\"server\",\"at\":1,\"event\":\"began\",\"time\":2}";
        let numbered = parse(block).ok().unwrap();
        assert_eq!((numbered.id, numbered.event.map(|event| event.event.at)), (7, Some(1.0)));
        assert!(parse("data: {}").is_err());
        assert!(parse("id: 1\ndata: {}").is_err());
        assert!(
            parse("id: 1\ndata: {\"step\":\"6a\",\"side\":\"server\",\"at\":1,\"event\":\"began\"}").is_err()
        );
        let unknown = "id: 1\ndata: {\"step\":\"9z\",\"event\":\"consent\"}";
        assert!(parse(unknown).is_ok_and(|numbered| numbered.id == 1 && numbered.event.is_none()));
    }
}
