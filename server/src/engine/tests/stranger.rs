//! Who knows the descriptions and writes its connectivity checks by hand.

use std::sync::LazyLock;

use hola_webrtc_protocol::sdp;
use rtc::{
    crypto::RTCCryptoProvider,
    ice::attributes::{
        control::{AttrControlled, AttrControlling},
        priority::PriorityAttr,
        use_candidate::UseCandidateAttr,
    },
    stun::{
        attributes::ATTR_USERNAME,
        fingerprint::FINGERPRINT,
        integrity::MessageIntegrity,
        message::{BINDING_REQUEST, Message as StunMessage, Setter, TransactionId},
        textattrs::Username,
    },
};

use super::*;

/// A connectivity check as a browser sends it, with or without a nomination.
pub(super) fn check(answer: &str, offer: &str, password: &str, nominates: bool) -> StunMessage {
    let username = format!("{}:{}", attribute(answer, "ice-ufrag"), attribute(offer, "ice-ufrag"));
    let mut attributes = beginning(username, Box::new(AttrControlling(1)));
    if nominates {
        attributes.push(Box::new(UseCandidateAttr));
    }
    attributes.push(Box::new(integrity(password)));
    attributes.push(Box::new(FINGERPRINT));
    build(&attributes)
}

/// A check of who says that it is controlled, and has the smallest tie-breaker.
pub(super) fn controlled(answer: &str, offer: &str, password: &str) -> StunMessage {
    let username = format!("{}:{}", attribute(answer, "ice-ufrag"), attribute(offer, "ice-ufrag"));
    let mut attributes = beginning(username, Box::new(AttrControlled(0)));
    attributes.push(Box::new(integrity(password)));
    attributes.push(Box::new(FINGERPRINT));
    build(&attributes)
}

fn beginning(username: String, role: Box<dyn Setter>) -> Vec<Box<dyn Setter>> {
    vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, username)),
        role,
        Box::new(PriorityAttr(1)),
    ]
}

pub(super) fn integrity(password: &str) -> MessageIntegrity<'static> {
    static PROVIDER: LazyLock<Arc<dyn RTCCryptoProvider>> =
        LazyLock::new(|| rtc::crypto::default_provider().unwrap());
    MessageIntegrity::new_short_term_integrity_with_provider(password.to_owned(), PROVIDER.crypto())
}

pub(super) fn build(attributes: &[Box<dyn Setter>]) -> StunMessage {
    let mut message = StunMessage::new();
    message.build(attributes).unwrap();
    message
}

pub(super) fn attribute<'a>(sdp: &'a str, name: &str) -> &'a str {
    sdp::attribute(sdp, name).unwrap()
}

pub(super) fn negotiated(world: &mut World) -> (String, String) {
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    let answer = world.answer(&offer).sdp;
    (offer, answer)
}
