//! A new path for the same session: an ICE restart, by one `PATCH`
//! ([RFC 8838, 17](https://www.rfc-editor.org/rfc/rfc8838#section-17)). Channels, keys and what is on its way stay.

use std::{future::poll_fn, rc::Rc};

use hola_webrtc_protocol::{SessionDescription, Side, Step, TraceData, sdp};
use wasm_bindgen::JsCast;

use crate::{
    ErrorKind, RtcError,
    object::{self, Plain},
    offer::settled,
    peer::Peer,
    sys,
};

const NO_CREDENTIALS: &str = "the offer or its reply has no ICE credentials";

/// Agrees with the other side on new ICE credentials.
pub(crate) async fn restart(peer: &Rc<Peer>) -> Result<(), RtcError> {
    let (pc, trace) = (peer.raw(), peer.trace());
    let exchange = peer
        .restart_ice()
        .ok_or_else(|| failed(ErrorKind::Unsupported, "the other side takes no ICE restart"))?;

    // The next local description is an offer with new credentials: https://www.w3.org/TR/webrtc/#dom-peerconnection-restartice
    pc.restart_ice();
    settled(Step::SetLocalOffer, pc.set_local_description_without_argument()).await?;
    let offer = object::text(&object::property(pc, "localDescription"), "sdp").unwrap_or_default();
    let fragment = fragment(&offer).ok_or_else(|| failed(ErrorKind::Js, NO_CREDENTIALS))?;
    trace.client(
        Step::SetLocalOffer,
        TraceData::Description { description: SessionDescription::offer(offer) },
    );

    let _timer = peer.late_after(peer.deadline);
    let mut reply = exchange.send(fragment);
    let reply = poll_fn(|context| {
        let reply = reply.as_mut().poll(context);
        if reply.is_ready() {
            return reply;
        }
        let late =
            || peer.is_late.get().then(|| Err(failed(ErrorKind::Timeout, "the ICE restart got no reply")));
        peer.changes.poll(context, late)
    });
    let answered = match reply.await {
        Ok(reply) => accept(peer, &reply).await,
        Err(error) => Err(error),
    };
    if answered.is_err() {
        // Back to what both sides had. If the connection is closed by now, there is nothing to go back to.
        let rollback = Plain::empty();
        rollback.set_text("type", "rollback");
        sys::ignore_rejection(&pc.set_local_description(rollback.unchecked_ref()));
    }
    answered
}

/// Sets the answer there was, with the other side's new credentials and candidates.
async fn accept(peer: &Peer, reply: &str) -> Result<(), RtcError> {
    let last = object::text(&object::property(peer.raw(), "remoteDescription"), "sdp").unwrap_or_default();
    let answer = restarted(&last, reply).ok_or_else(|| failed(ErrorKind::BadAnswer, NO_CREDENTIALS))?;
    let description = SessionDescription::answer(answer);
    let init = object::of_description(&description);
    peer.trace().record(Step::SetLocalAnswer, Side::Server, TraceData::Description { description });
    settled(Step::SetRemoteAnswer, peer.raw().set_remote_description(init.unchecked_ref())).await?;
    Ok(())
}

/// What the other side has to know of the offer ([RFC 8840, 9](https://www.rfc-editor.org/rfc/rfc8840#section-9)).
fn fragment(offer: &str) -> Option<String> {
    let (ufrag, password) = (sdp::attribute(offer, "ice-ufrag")?, sdp::attribute(offer, "ice-pwd")?);
    let mid = sdp::attribute(offer, "mid").unwrap_or("0");
    let parts = [
        "a=ice-ufrag:",
        ufrag,
        "\r\na=ice-pwd:",
        password,
        "\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:",
        mid,
        "\r\n",
    ];
    Some(parts.concat())
}

/// The answer, with the credentials and candidates of the fragment in place of its own.
fn restarted(answer: &str, fragment: &str) -> Option<String> {
    let (ufrag, password) = (sdp::attribute(fragment, "ice-ufrag")?, sdp::attribute(fragment, "ice-pwd")?);
    let mut restarted = String::new();
    let mut add = |parts: [&str; 2]| {
        for part in parts {
            restarted.push_str(part);
        }
        restarted.push_str("\r\n");
    };
    for line in answer.lines() {
        if line.starts_with("a=ice-ufrag:") {
            add(["a=ice-ufrag:", ufrag]);
        } else if line.starts_with("a=ice-pwd:") {
            add(["a=ice-pwd:", password]);
        } else if !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-candidates") {
            add([line, ""]);
        }
    }
    // A session for data channels has one section, so what is added at the end belongs to it.
    for candidate in fragment.lines().filter(|line| line.starts_with("a=candidate:")) {
        add([candidate, ""]);
    }
    Some(restarted)
}

fn failed(kind: ErrorKind, cause: &'static str) -> RtcError {
    RtcError::new(Step::SendOffer, kind, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fragment_has_the_new_credentials_and_nothing_else() {
        let offer = "v=0\r\na=ice-ufrag:Nw9Z\r\na=ice-pwd:3b1yQW2bT1S8e8vYkQf0aZ\r\na=mid:data\r\na=setup:actpass\r\n";
        assert_eq!(
            fragment(offer).as_deref(),
            Some(
                "a=ice-ufrag:Nw9Z\r\na=ice-pwd:3b1yQW2bT1S8e8vYkQf0aZ\r\n\
                 m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:data\r\n"
            )
        );
        assert_eq!(fragment("v=0\r\n"), None);
    }

    #[test]
    fn the_answer_keeps_all_but_credentials_and_candidates() {
        let answer = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:old1\r\na=ice-pwd:old\r\n\
                      a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=setup:active\r\n";
        let fragment = "a=ice-ufrag:new1\r\na=ice-pwd:new\r\na=candidate:2 1 udp 1 192.0.2.2 9 typ host\r\n";
        assert_eq!(
            restarted(answer, fragment).as_deref(),
            Some(
                "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=ice-ufrag:new1\r\na=ice-pwd:new\r\n\
                 a=setup:active\r\na=candidate:2 1 udp 1 192.0.2.2 9 typ host\r\n"
            )
        );
        assert_eq!(restarted(answer, "a=mid:0\r\n"), None);
    }
}
