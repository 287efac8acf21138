//! Why sessions and channels end, as their events tell it.

use std::time::Duration;

use hola_webrtc_offerer::ConnectOptions;
use hola_webrtc_protocol::{Side, TraceData, sdp};
use hyper::{Response, body::Incoming};
use tokio::time::{sleep, timeout};

use crate::{
    Check, Fault, Probe, Verdict,
    probe::Session,
    verdict::{broken, ensure, not_offered},
    watch,
};

const SECTION: &str = "Faults of a session";

/// How long the server may take to notice.
const SOON: Duration = Duration::from_secs(5);

/// How long it has for it before the session is ended.
const NOTICE: Duration = Duration::from_millis(500);

/// How long a session may wait for its peer; by default it is two seconds.
const CHECK_TIME: Duration = Duration::from_secs(20);

/// Larger messages no browser sends.
const LARGEST: u32 = 16 * 1024 * 1024;

pub(crate) const CHECKS: &[Check] = &[
    Check::new(SECTION, "a message above max-message-size closes its channel", |probe| {
        Box::pin(too_large(probe))
    }),
    Check::new(SECTION, "a channel that the client closes is closed by-peer", |probe| {
        Box::pin(channel_closed(probe))
    }),
    Check::new(SECTION, "a connection that the client closes ends its session by-peer", |probe| {
        Box::pin(connection_closed(probe))
    }),
    Check::new(SECTION, "an offer that nobody comes for ends as never-connected", |probe| {
        Box::pin(never_connected(probe))
    }),
];

async fn too_large(probe: &Probe) -> Verdict {
    const NAME: &str = "max-message-size";
    let options = ConnectOptions { max_message_size: LARGEST, ..probe.options.clone() };
    // This side would keep to it.
    let without_limit = |answer: &str| {
        let size = sdp::attribute(answer, NAME).unwrap_or_default();
        answer.replace(&format!("a={NAME}:{size}"), &format!("a={NAME}:0"))
    };
    let (session, connection, channel) = probe.connect_as(&options, without_limit).await?;
    let maximum = sdp::attribute(&session.reply.answer, NAME).and_then(|size| size.parse().ok());
    let Some(maximum) = maximum.filter(|size| (1..LARGEST).contains(size)) else {
        probe.end(&session).await?;
        return not_offered("the answer sets no limit that is worth the name");
    };
    let events = watched(probe, &session).await?;
    channel.send(vec![0; maximum as usize + 1]).await?;
    let is_closed = timeout(SOON, channel.closed()).await.is_ok();
    // It may have ended with its last channel.
    probe.end(&session).await?;
    drop(connection);
    ensure(is_closed, || format!("a message of {} bytes leaves its channel open", u64::from(maximum) + 1))?;
    closes_channel(events, "too-large").await
}

async fn channel_closed(probe: &Probe) -> Verdict {
    let (session, connection, channel) = probe.connect().await?;
    let events = watched(probe, &session).await?;
    if timeout(SOON, channel.close()).await.is_err() {
        return broken("the server does not take notice");
    }
    // This side is done with the channel sooner than the server.
    sleep(NOTICE).await;
    probe.end(&session).await?;
    drop(connection);
    closes_channel(events, "by-peer").await
}

async fn connection_closed(probe: &Probe) -> Verdict {
    let (session, connection, _channel) = probe.connect().await?;
    let events = watched(probe, &session).await?;
    connection.close();
    match events {
        Some(events) => ends(timeout(SOON, watch::told(events)).await, Side::Client, "by-peer"),
        None => not_offered("there are no events that would tell"),
    }
}

async fn never_connected(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let Some(events) = watched(probe, &session).await? else {
        return not_offered("there are no events that would tell");
    };
    let told = timeout(CHECK_TIME, watch::told(events)).await;
    if told.is_err() {
        probe.end(&session).await?;
        return not_offered(format!("it is waited for longer than {} s", CHECK_TIME.as_secs()));
    }
    ends(told, Side::Server, "never-connected")
}

/// The session's events, if the server tells any.
async fn watched(probe: &Probe, session: &Session) -> Result<Option<Response<Incoming>>, Fault> {
    match watch::open(probe, session, None).await {
        Err(Fault::NotOffered(_)) => Ok(None),
        other => other.map(Some),
    }
}

/// Whether the events, if there are any, tell of a channel that was closed for this reason.
async fn closes_channel(events: Option<Response<Incoming>>, expected: &str) -> Verdict {
    let Some(events) = events else { return Ok(()) };
    let Ok(told) = timeout(SOON, watch::told(events)).await else {
        return broken("the events do not end with the session");
    };
    let reasons: Vec<String> = told?
        .into_iter()
        .filter_map(|data| match data {
            TraceData::ChannelClosed { reason, .. } => Some(reason),
            _ => None,
        })
        .collect();
    ensure(reasons == [expected], || format!("the channel is closed for {reasons:?}, not {expected}"))
}

/// Whether the events end in time, and with an end by this side for this reason.
fn ends<E>(told: Result<Result<Vec<TraceData>, Fault>, E>, side: Side, expected: &str) -> Verdict {
    let Ok(told) = told else { return broken("the session does not end, or its events do not") };
    match told?.pop() {
        Some(TraceData::Closed { by, reason }) => {
            ensure(by == side && reason.as_deref() == Some(expected), || {
                format!("the session is closed by the {by:?} for {reason:?}, not {expected}")
            })
        }
        other => broken(format!("the last event is {other:?}")),
    }
}
