//! Candidates that come later, and ICE restarts.

use std::time::Duration;

use hola_webrtc_offerer::{Channel, Message};
use hola_webrtc_protocol::{ProblemCode, SdpFragment, sdp};
use hyper::header;
use tokio::time::timeout;

use crate::{
    Check, Fault, Probe, Verdict,
    verdict::{broken, ensure},
};

const TRICKLE: &str = "Candidates that come later";
const RESTART: &str = "Restarting ICE";

/// How long a message may take.
const SOON: Duration = Duration::from_secs(5);

pub(crate) const CHECKS: &[Check] = &[
    Check::new(TRICKLE, "candidates are taken with the right ETag", |probe| Box::pin(trickle(probe))),
    Check::new(TRICKLE, "without If-Match they are refused", |probe| Box::pin(without_tag(probe))),
    Check::new(TRICKLE, "with another ETag they are refused", |probe| Box::pin(other_tag(probe))),
    Check::new(TRICKLE, "a broken fragment is refused", |probe| Box::pin(bad_fragment(probe))),
    Check::new(RESTART, "a restart brings new credentials, and the channel lives on", |probe| {
        Box::pin(restart(probe))
    }),
];

/// A candidate at an address that no host has (RFC 5737), with the offer's own credentials.
pub(crate) fn fragment(offer: &str) -> String {
    let attribute = |name| sdp::attribute(offer, name).unwrap_or_default();
    format!(
        "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:{}\r\n\
         a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n",
        attribute("ice-ufrag"),
        attribute("ice-pwd"),
        attribute("mid"),
    )
}

async fn trickle(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let reply = probe.patch(&session.url, Some(&session.etag()?), &fragment(probe.sdp())).await?;
    probe.end(&session).await?;
    reply.succeeded(204)
}

async fn without_tag(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let reply = probe.patch(&session.url, None, &fragment(probe.sdp())).await?;
    probe.end(&session).await?;
    reply.refused(ProblemCode::PreconditionRequired)
}

async fn other_tag(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let reply = probe.patch(&session.url, Some("\"another\""), &fragment(probe.sdp())).await?;
    probe.end(&session).await?;
    reply.refused(ProblemCode::PreconditionFailed)
}

async fn bad_fragment(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    // Credentials come together or not at all.
    let reply = probe.patch(&session.url, Some(&session.etag()?), "a=ice-ufrag:abcd\r\n").await?;
    probe.end(&session).await?;
    reply.refused(ProblemCode::BadFragment)
}

async fn restart(probe: &Probe) -> Verdict {
    let (session, connection, channel) = probe.connect().await?;
    let was_echoing = echoes(&channel, "before").await?;
    let offer = connection.restart_ice()?;
    let attribute = |name| sdp::attribute(&offer, name).unwrap_or_default();
    let credentials = format!(
        "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:{}\r\n",
        attribute("ice-ufrag"),
        attribute("ice-pwd"),
        attribute("mid"),
    );
    let reply = probe.patch(&session.url, Some("*"), &credentials).await?;
    reply.succeeded(200)?;
    let tag = reply.text(header::ETAG).unwrap_or_default();
    ensure(!tag.is_empty() && tag != session.etag()?, || format!("the new ETag is {tag:?}"))?;

    let text = String::from_utf8_lossy(&reply.body);
    let Ok(renewed) = text.parse::<SdpFragment>() else {
        return broken(format!("the reply is no SDP fragment: {}", reply.describe()));
    };
    let (Some(ufrag), Some(password)) = (&renewed.ufrag, &renewed.password) else {
        return broken("the reply has no new credentials");
    };
    let old = sdp::attribute(&session.reply.answer, "ice-ufrag");
    ensure(old != Some(ufrag.as_str()), || "the server's credentials are the old ones".to_owned())?;
    ensure(!renewed.candidates.is_empty(), || "the reply names no candidate".to_owned())?;
    // As a client makes it of the server's fragment: its credentials and candidates take the place of the old ones.
    let answer = sdp::with_credentials(&sdp::without_candidates(&session.reply.answer), ufrag, password);
    let candidates = renewed.candidates.iter().map(|candidate| format!("a={candidate}\r\n"));
    connection.accept_restart(&candidates.fold(answer, |answer, candidate| answer + &candidate))?;

    if was_echoing {
        ensure(echoes(&channel, "after").await?, || "nothing comes back after the restart".to_owned())?;
    } else {
        channel.send("after").await?;
        let arrives = timeout(SOON, channel.flush()).await.is_ok_and(|flushed| flushed.is_ok());
        ensure(arrives, || "nothing arrives after the restart".to_owned())?;
    }
    ensure(channel.is_open(), || "the channel did not survive".to_owned())?;
    let stale = probe.patch(&session.url, Some(&session.etag()?), &fragment(&offer)).await?;
    probe.end(&session).await?;
    stale.refused(ProblemCode::PreconditionFailed)
}

/// Whether a message comes back.
async fn echoes(channel: &Channel, text: &str) -> Result<bool, Fault> {
    channel.send(text).await?;
    Ok(timeout(SOON, channel.receive()).await == Ok(Some(Message::from(text))))
}
