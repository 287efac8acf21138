use hola_webrtc_protocol::sdp;

use super::*;

const DIGEST: &str =
    "3A:1B:5C:77:90:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF";
const SESSION: &str = "v=0\r\no=- 4215775240449105457 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const DATA: &str = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:data\r\na=sctp-port:5000\r\n";
const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n";

fn transport() -> String {
    format!(
        "a=ice-ufrag:sXP5\r\na=ice-pwd:7m8BnJuxq5jPxQFzYSVoJfCk\r\na=fingerprint:sha-256 {DIGEST}\r\na=setup:actpass\r\n"
    )
}

fn answer(offer: &str) -> Result<String, AnswerError> {
    let candidates = ["192.0.2.1:8443", "[2001:db8::1]:8443"].map(|address| address.parse().unwrap());
    let answerer = Answerer::new(candidates.into(), 65_536).unwrap();
    answerer.answer(Instant::now(), offer).map(|answer| answer.sdp)
}

/// Why the offer is refused.
fn fault(offer: &str) -> String {
    match answer(offer) {
        Err(AnswerError::BadSdp(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_answer_takes_the_data_channels_and_says_where_the_server_is() {
    let answer = answer(&format!("{SESSION}a=group:BUNDLE data\r\n{DATA}{}", transport())).unwrap();
    let lines: Vec<_> = answer.lines().collect();
    for line in [
        "a=group:BUNDLE data",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:data",
        "a=setup:active",
        "a=sctp-port:5000",
        "a=max-message-size:65536",
        "a=end-of-candidates",
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{answer}");
    }
    let addresses: Vec<_> = sdp::candidates(&answer).map(|candidate| candidate.address).collect();
    assert_eq!(addresses, ["192.0.2.1", "2001:db8::1"]);
    assert!(sdp::attribute(&answer, "fingerprint").unwrap().starts_with("sha-256 "));
    assert!(sdp::attribute(&answer, "ice-pwd").unwrap().len() >= 22);
}

#[test]
fn every_other_section_is_rejected_in_its_place() {
    let offer = format!("{SESSION}a=group:BUNDLE 0 data\r\n{AUDIO}{}{DATA}", transport());
    let answer = answer(&offer).unwrap();
    assert!(answer.contains("a=group:BUNDLE data\r\n"), "{answer}");
    let sections: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        sections,
        ["m=audio 0 UDP/TLS/RTP/SAVPF 111", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]
    );
    assert_eq!(answer.matches("a=ice-ufrag:").count(), 1);
}

#[test]
fn the_transport_is_the_sections_or_the_sessions_or_that_of_its_bundle() {
    let own = format!("{SESSION}{DATA}{}", transport());
    let sessions = format!("{SESSION}{}{DATA}", transport());
    let bundled = format!("{SESSION}a=group:BUNDLE 0 data\r\n{AUDIO}{}{DATA}", transport());
    for offer in [own, sessions, bundled] {
        let offered = Offered::read(&offer).unwrap();
        assert_eq!(offered.remote.credentials.ufrag, "sXP5");
        assert_eq!(offered.remote.fingerprints.len(), 1);
    }
    // Another section's is not its.
    fault(&format!("{SESSION}{AUDIO}{}{DATA}", transport()));
}

#[test]
fn an_offer_whose_peer_could_not_be_told_from_others_is_refused() {
    let offer = |fingerprints: &str| {
        let transport = transport();
        let rest = transport.lines().filter(|line| !line.starts_with("a=fingerprint"));
        let rest: String = rest.flat_map(|line| [line, "\r\n"]).collect();
        format!("{SESSION}{DATA}{rest}{fingerprints}")
    };
    assert_eq!(fault(&offer("")), "the offer has no a=fingerprint");
    assert_eq!(fault(&offer("a=fingerprint:sha-256 12:34\r\n")), "an a=fingerprint is malformed");
    let sha1 = format!("a=fingerprint:sha-1 {}\r\n", vec!["AB"; 20].join(":"));
    assert!(fault(&offer(&sha1)).starts_with("every a=fingerprint is by a hash function other"));
    let both = offer(&format!("{sha1}a=fingerprint:SHA-256 {}\r\n", DIGEST.to_lowercase()));
    assert_eq!(Offered::read(&both).unwrap().remote.fingerprints.len(), 1);
}

#[test]
fn what_the_server_cannot_take_part_in_is_refused() {
    let offer = format!("{SESSION}{DATA}{}", transport());
    for (what, with) in [
        ("a=setup:actpass", "a=setup:active"),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=sctp-port:5000", "a=sctp-port:5001"),
        ("a=sctp-port:5000", "a=max-message-size:many"),
        ("a=mid:data", "a=x"),
        ("a=ice-ufrag:sXP5", "a=x"),
        ("application 9", "application 0"),
        ("webrtc-datachannel", "5000"),
    ] {
        assert!(offer.contains(what), "{what}");
        fault(&offer.replace(what, with));
    }
    assert!(answer(&offer.replace("a=setup:actpass", "a=setup:passive")).is_ok());
    assert_eq!(answer(&format!("{SESSION}{AUDIO}{}", transport())), Err(AnswerError::NoDataChannel));
}

#[test]
fn the_largest_message_for_the_peer_is_what_it_says_or_64_kib() {
    for (line, expected) in [
        ("", 65_536),
        ("a=max-message-size:0\r\n", u32::MAX),
        ("a=max-message-size:1000\r\n", 1000),
        ("a=max-message-size:262144\r\n", 262_144),
    ] {
        let offered = Offered::read(&format!("{SESSION}{DATA}{line}{}", transport())).unwrap();
        assert_eq!(offered.remote.max_message_size, expected);
    }
}

#[test]
fn sctp_begins_as_the_offer_says_or_the_offer_is_refused() {
    let offer = |init: &str| format!("{SESSION}{DATA}{}{init}", transport());
    assert_eq!(sdp::attribute(&answer(&offer("")).unwrap(), "sctp-init"), None);
    let mut answers = ["AQAAHvmFXyMAUAAA/////80ISz/AAAAEgAgABoLA", "AQAAFPmFXyMAUAAA/////80ISz8="]
        .map(|init| answer(&offer(&format!("a=sctp-init:{init}\r\n"))).unwrap());
    assert!(answers.iter_mut().all(|answer| sdp::attribute(answer, "sctp-init").is_some()));
    for unusable in [
        "",
        "AQAAHg==",
        "AQAAHvmFXyMAUAAA/////80ISz/AAAAEgAgABoL",
        // Tag, streams of either side, window.
        "AQAAFAAAAAAAUAAA/////80ISz8=",
        "AQAAFPmFXyMAUAAAAAD//80ISz8=",
        "AQAAFPmFXyMAUAAA//8AAM0ISz8=",
        "AQAAFPmFXyMAAAAB/////80ISz8=",
    ] {
        let fault = fault(&offer(&format!("a=sctp-init:{unusable}\r\n")));
        assert_eq!(fault, "a=sctp-init is no usable INIT chunk in base64", "{unusable}");
    }
    fault(&offer("a=sctp-init\r\n"));
}
