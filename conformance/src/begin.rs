//! Offers and answers.

use std::{collections::HashSet, time::Duration};

use hola_webrtc_offerer::Message;
use hola_webrtc_protocol::{Step, sdp, server_timing, signal};
use hyper::header;
use tokio::time::timeout;

use crate::{
    Check, Probe, Verdict,
    probe::Session,
    response::Response,
    verdict::{broken, ensure, not_offered},
};

const SECTION: &str = "Beginning a session";

pub(crate) const CHECKS: &[Check] = &[
    Check::new(SECTION, "a JSON offer is answered in JSON", |probe| Box::pin(json(probe))),
    Check::new(SECTION, "an SDP offer is answered in SDP", |probe| Box::pin(bare(probe))),
    Check::new(SECTION, "Accept chooses the answer's format", |probe| Box::pin(accept(probe))),
    Check::new(SECTION, "the answer has what a peer needs", |probe| Box::pin(answer(probe))),
    Check::new(SECTION, "the session's URL cannot be guessed", |probe| Box::pin(location(probe))),
    Check::new(SECTION, "ICE servers are named as in RFC 9725", |probe| Box::pin(ice_servers(probe))),
    Check::new(SECTION, "Server-Timing tells of 6a to 6e", |probe| Box::pin(timing(probe))),
    Check::new(SECTION, "a channel opens", |probe| Box::pin(opens(probe))),
    Check::new(SECTION, "text and binary messages come back", |probe| Box::pin(echo(probe))),
];

async fn json(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::JSON, &[], probe.json()).await?;
    answered(&reply, signal::JSON)?;
    end(probe, &probe.session(reply)?).await
}

async fn bare(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::SDP, &[], probe.sdp().to_owned()).await?;
    answered(&reply, signal::SDP)?;
    end(probe, &probe.session(reply)?).await
}

async fn accept(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::JSON, &[("accept", signal::SDP)], probe.json()).await?;
    answered(&reply, signal::SDP)?;
    end(probe, &probe.session(reply)?).await
}

fn answered(reply: &Response, kind: &str) -> Verdict {
    reply.succeeded(201)?;
    reply.has_type(kind)?;
    let caching: Vec<&str> =
        reply.headers.get_all(header::CACHE_CONTROL).iter().flat_map(|line| line.to_str()).collect();
    ensure(caching.iter().any(|line| line.contains("no-store")), || {
        format!("Cache-Control is {caching:?}, not no-store")
    })?;
    ensure(reply.headers.contains_key(header::ETAG), || "there is no ETag".to_owned())
}

async fn answer(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let answer = session.reply.answer.clone();
    end(probe, &session).await?;
    ensure(sdp::has_data_channel(&answer), || "the answer has no m=application for SCTP".to_owned())?;
    for name in ["ice-ufrag", "ice-pwd", "fingerprint", "sctp-port"] {
        ensure(sdp::attribute(&answer, name).is_some(), || format!("the answer has no a={name}"))?;
    }
    let setup = sdp::attribute(&answer, "setup").unwrap_or("none");
    ensure(setup == "active", || format!("a=setup is {setup}: the server is the DTLS client"))?;
    ensure(sdp::candidates(&answer).next().is_some(), || {
        "the answer names no candidate, and none can follow".to_owned()
    })
}

async fn location(probe: &Probe) -> Verdict {
    const SESSIONS: usize = 4;
    const DIGITS: usize = 32;
    let mut ids = HashSet::new();
    for _ in 0..SESSIONS {
        let session = probe.begin().await?;
        let id = session.url.path().rsplit('/').next().unwrap_or_default().to_owned();
        end(probe, &session).await?;
        // A node may put its name before it.
        let digits = id.len().checked_sub(DIGITS).and_then(|before| id.get(before..)).unwrap_or_default();
        let is_hex = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        ensure(is_hex, || format!("{id:?} does not end in 128 bits in hexadecimal"))?;
        ids.insert(digits.to_owned());
    }
    ensure(ids.len() == SESSIONS, || "two sessions have one URL".to_owned())?;
    // A counter, or a time, would leave most digits the same.
    let ids: Vec<Vec<u8>> = ids.into_iter().map(String::into_bytes).collect();
    let same = (0..DIGITS).filter(|&place| ids.iter().all(|id| id[place] == ids[0][place])).count();
    ensure(same < 8, || format!("{same} of {DIGITS} digits are the same in {SESSIONS} ids"))
}

async fn ice_servers(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    end(probe, &session).await?;
    let links = session.links(signal::ICE_SERVER_RELATION);
    if links.is_empty() {
        return not_offered("the server names no ICE server");
    }
    for link in links {
        let target = link.target.to_ascii_lowercase();
        let is_turn = target.starts_with("turn:") || target.starts_with("turns:");
        ensure(is_turn || target.starts_with("stun:") || target.starts_with("stuns:"), || {
            format!("{target} is no STUN or TURN server")
        })?;
        for wanted in ["username", "credential", "credential-type"] {
            let has_it = link.parameters().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
            ensure(!is_turn || has_it, || format!("{target} has no {wanted}"))?;
        }
    }
    Ok(())
}

async fn timing(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    end(probe, &session).await?;
    // A proxy may have added lines of its own.
    let lines = session.reply.headers.get_all("server-timing").iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    if lines.is_empty() {
        return not_offered("there is no Server-Timing");
    }
    let told: Vec<Step> =
        lines.iter().flat_map(|line| server_timing::decode(line)).map(|(step, _)| step).collect();
    for step in [
        Step::BuildPeer,
        Step::SetRemoteOffer,
        Step::AddHostCandidates,
        Step::CreateAnswer,
        Step::SetLocalAnswer,
    ] {
        ensure(told.contains(&step), || format!("{step} is missing in {lines:?}"))?;
    }
    Ok(())
}

async fn opens(probe: &Probe) -> Verdict {
    let (session, connection, _) = probe.connect().await?;
    connection.close();
    // The session may have ended with the connection.
    probe.end(&session).await.map(|_| ())
}

/// What a server does with messages is its own matter. One that echoes a text echoes them all.
async fn echo(probe: &Probe) -> Verdict {
    const SOON: Duration = Duration::from_secs(5);
    const LARGEST: usize = 16_384;
    let (session, _connection, channel) = probe.connect().await?;
    channel.send("¡hola!").await?;
    if timeout(SOON, channel.receive()).await != Ok(Some("¡hola!".into())) {
        return not_offered("the server's program is no echo");
    }
    let maximum =
        sdp::attribute(&session.reply.answer, "max-message-size").and_then(|size| size.parse().ok());
    let largest = maximum.filter(|size| *size > 0).map_or(LARGEST, |size: usize| size.min(LARGEST));
    let messages: [Message; 4] = ["".into(), vec![].into(), vec![0, 255, 7].into(), vec![42; largest].into()];
    for message in messages {
        channel.send(message.clone()).await?;
        let length = message.len();
        match timeout(SOON, channel.receive()).await {
            Ok(Some(echo)) if echo == message => {}
            Ok(Some(echo)) => {
                return broken(format!("{} bytes came back for {length}, or of another kind", echo.len()));
            }
            Ok(None) => return broken(format!("the channel was closed upon a message of {length} bytes")),
            Err(_) => return broken(format!("a message of {length} bytes does not come back")),
        }
    }
    Ok(())
}

async fn end(probe: &Probe, session: &Session) -> Verdict {
    probe.end(session).await?.succeeded(204)
}
