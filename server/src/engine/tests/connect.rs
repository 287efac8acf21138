//! From the offer to the open channel.

use futures_util::FutureExt;

use super::*;

#[test]
fn a_channel_opens_without_a_lost_round_trip() {
    const ROUND_TRIP: Duration = Duration::from_millis(100);
    let mut world = World::new(ROUND_TRIP / 2);
    let begin = world.now;
    let (_, session) = world.connect(0, "chat");
    // ICE and DTLS take 3, SCTP 2. This offerer adds one by nominating only after a check has succeeded, and
    // one by its HelloVerifyRequest; browsers do neither.
    let took = world.now - begin;
    assert!(took <= 7 * ROUND_TRIP, "{took:?}");

    let channel = session.accept_channel().now_or_never().unwrap().unwrap();
    assert_eq!(channel.label(), "chat");
    assert!(channel.parameters().ordered);
}

#[test]
fn the_answer_names_the_announced_address_and_makes_the_server_speak_dtls_first() {
    let mut world = World::new(MS);
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    let answered = world.answer(&offer);
    assert!(
        answered.sdp.contains("a=candidate:1 1 udp 2130706431 192.0.2.1 8443 typ host"),
        "{}",
        answered.sdp
    );
    assert!(answered.sdp.contains("a=setup:active"), "{}", answered.sdp);
    assert!(answered.sdp.contains("a=max-message-size:65536"), "{}", answered.sdp);
    assert!(!answered.sdp.contains("a=ice-lite"), "{}", answered.sdp);
    assert_eq!(answered.sdp.matches("a=candidate:").count(), 1, "{}", answered.sdp);
    assert!(answered.sdp.ends_with("a=end-of-candidates\r\n"), "{}", answered.sdp);
    let labels: Vec<_> = answered.timings.iter().map(|(step, _)| step.label()).collect();
    assert_eq!(labels, ["6a", "6b", "6c", "6d", "6e"]);
}

#[test]
fn a_refused_offer_leaves_nothing() {
    let mut world = World::new(MS);
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    let mut refuse = |offer: &str| world.try_answer(offer).unwrap_err();
    assert!(matches!(refuse("nonsense\r\nm=application \r\n"), AnswerError::BadSdp(_)));
    assert!(matches!(refuse(&offer.replace("a=ice-ufrag", "a=x-ufrag")), AnswerError::BadSdp(_)));
    assert!(matches!(refuse(&offer.replace("a=fingerprint", "a=x-print")), AnswerError::BadSdp(_)));
    assert_eq!(refuse(&offer.replace("m=application", "m=audio")), AnswerError::NoDataChannel);
    assert_eq!(world.residue(), 0);
}

#[test]
fn sessions_beyond_the_limit_are_refused_until_others_end() {
    let mut world = World::with_limits(MS, Limits { max_sessions: 1, ..LIMITS });
    let offer = Offerer::new(world.now, offerer_address(0), "x").offer();
    world.answer(&offer);
    let refused = world.try_answer(&offer);
    assert_eq!(refused, Err(AnswerError::Full));
    world.run(3 * SECOND);
    world.answer(&offer);
}

#[test]
fn many_peers_share_the_port() {
    let mut world = World::new(MS);
    let addresses: Vec<_> = (0..20).map(|number| world.begin(number, "x")).collect();
    assert!(world.run_until(5 * SECOND, |world| world.sessions.len() == addresses.len()));
    let mut ids: Vec<_> = world.sessions.iter().map(Session::id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), addresses.len());
}
