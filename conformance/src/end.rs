//! The end of a session, and what there is to see of one that has ended or never was.

use std::time::Duration;

use hola_webrtc_offerer::Closed;
use hola_webrtc_protocol::{ProblemCode, signal};
use hyper::{Method, Uri};
use tokio::time::timeout;

use crate::{
    Check, Fault, Probe, Verdict,
    later::fragment,
    response::Response,
    verdict::{broken, ensure, not_offered},
    watch,
};

/// Within what time the peer hears of the end.
const NEWS: Duration = Duration::from_secs(3);

const END: &str = "Ending the session";
const HEALTH: &str = "Health";
const SECURITY: &str = "Security considerations";

pub(crate) const CHECKS: &[Check] = &[
    Check::new(END, "DELETE ends the session, and the peer hears of it", |probe| Box::pin(delete(probe))),
    Check::new(END, "after its end a session takes no fragment and tells no events", |probe| {
        Box::pin(ended(probe))
    }),
    Check::new(SECURITY, "every URL of no session looks the same", |probe| Box::pin(uniform(probe))),
    Check::new(HEALTH, "/healthz says that the server lives", |probe| {
        Box::pin(health(probe, signal::HEALTH_PATH))
    }),
    Check::new(HEALTH, "/readyz says that offers are welcome", |probe| {
        Box::pin(health(probe, signal::READY_PATH))
    }),
];

async fn delete(probe: &Probe) -> Verdict {
    let (session, connection, channel) = probe.connect().await?;
    probe.end(&session).await?.succeeded(204)?;
    // Far sooner than silence would tell.
    let Ok(end) = timeout(NEWS, connection.closed()).await else {
        return broken(format!("the peer does not hear of it within {} s", NEWS.as_secs()));
    };
    ensure(end == Closed::Remote, || format!("the peer does not hear of it: {end}"))?;
    channel.closed().await;
    probe.end(&session).await?.refused(ProblemCode::NotFound)
}

async fn ended(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let (tag, fragment) = (session.etag()?, fragment(probe.sdp()));
    probe.end(&session).await?.succeeded(204)?;
    for tag in [tag.as_str(), "*"] {
        probe.patch(&session.url, Some(tag), &fragment).await?.refused(ProblemCode::NotFound)?;
    }
    let events = watch::url(probe, &session)?;
    probe.send(Method::GET, &events, &[], "").await?.refused(ProblemCode::NotFound)
}

async fn uniform(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    probe.end(&session).await?.succeeded(204)?;
    let ended = session.url.clone();
    let (folder, _) = ended.path().rsplit_once('/').unwrap_or_default();
    let sibling = |id: &str| {
        let url = format!(
            "{}://{}{folder}/{id}",
            ended.scheme_str().unwrap_or_default(),
            ended.authority().map_or("", |authority| authority.as_str()),
        );
        url.parse::<Uri>().map_err(|error| Fault::Broken(error.to_string()))
    };
    let (unknown, odd) = (sibling("00000000000000000000000000000000")?, sibling("1")?);
    for method in [Method::DELETE, Method::PATCH] {
        let mut replies: Vec<Response> = Vec::new();
        for url in [&ended, &unknown, &odd] {
            let headers = [("content-type", "application/trickle-ice-sdpfrag"), ("if-match", "\"a\"")];
            replies.push(probe.send(method.clone(), url, &headers, "a=mid:0\r\n").await?);
        }
        if replies.iter().all(|reply| reply.status == 405) {
            return not_offered(format!("there is no {method}"));
        }
        for reply in &replies {
            reply.refused(ProblemCode::NotFound)?;
            ensure(reply.body == replies[0].body, || {
                format!("{method} tells which ids are well formed, or were in use: {}", reply.describe())
            })?;
        }
    }
    Ok(())
}

async fn health(probe: &Probe, path: &str) -> Verdict {
    let reply = probe.send(Method::GET, &probe.beside(path)?, &[], "").await?;
    if reply.status == 404 {
        return not_offered(format!("there is no {path}"));
    }
    reply.succeeded(200)
}
