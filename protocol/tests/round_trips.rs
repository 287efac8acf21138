//! What is written is read back, whatever it is; and what is read at all can be written and read again.

use std::{collections::HashSet, time::Duration};

use hola_webrtc_protocol::{
    Candidate, CandidateType, SdpFragment, SessionDescription, SessionId, Step, sdp, server_timing, signal,
};
use proptest::{collection::vec, option, prelude::*};

fn kind() -> impl Strategy<Value = CandidateType> {
    prop_oneof![
        Just(CandidateType::Host),
        Just(CandidateType::Srflx),
        Just(CandidateType::Prflx),
        Just(CandidateType::Relay),
    ]
}

/// Any candidate that the grammar of RFC 8839 has room for.
fn candidate() -> impl Strategy<Value = Candidate> {
    let address = prop_oneof![
        any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        "[0-9a-f]{8}-[0-9a-f]{4}\\.local",
    ];
    let fields =
        ("[A-Za-z0-9+/]{1,32}", any::<u16>(), "udp|tcp", any::<u32>(), address, any::<u16>(), kind());
    fields.prop_map(|(foundation, component, transport, priority, address, port, kind)| Candidate {
        foundation,
        component,
        transport,
        priority,
        address,
        port,
        kind,
    })
}

fn fragment() -> impl Strategy<Value = SdpFragment> {
    let credentials = option::of(("[A-Za-z0-9+/]{4,256}", "[A-Za-z0-9+/]{22,256}"));
    let fields = (credentials, option::of("[!-~]{1,16}"), vec(candidate(), 0..8), any::<bool>());
    fields.prop_map(|(credentials, mid, candidates, end_of_candidates)| {
        let (ufrag, password) = credentials.unzip();
        SdpFragment { ufrag, password, mid, candidates, end_of_candidates }
    })
}

/// Lines of an SDP, sensible and not, with ends of every kind.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        candidate().prop_map(|candidate| format!("a={candidate}")),
        candidate().prop_map(|candidate| format!("a= {candidate} generation 0")),
        Just("m=application 9 UDP/DTLS/SCTP webrtc-datachannel".to_owned()),
        Just("a=end-of-candidates".to_owned()),
        "a=(ice-ufrag|ice-pwd|mid|candidate):[ -~]{0,40}",
        "[a-z]=[ -~]{0,20}",
        "\\PC{0,20}",
    ];
    let end = prop_oneof![Just("\r\n"), Just("\n"), Just("\r"), Just("\n\r"), Just(" \r\n")];
    vec((line, end), 0..12)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end.to_owned()]).collect())
}

fn steps() -> impl Strategy<Value = Vec<(Step, Duration)>> {
    let step = prop_oneof![
        Just(Step::BuildPeer),
        Just(Step::SetRemoteOffer),
        Just(Step::AddHostCandidates),
        Just(Step::CreateAnswer),
        Just(Step::SetLocalAnswer),
    ];
    // The header counts in microseconds.
    vec((step, (0..3_600_000_000_u64).prop_map(Duration::from_micros)), 0..8)
}

proptest! {
    #[test]
    fn candidates_are_read_back_with_or_without_extensions(candidate in candidate(), more in "( [!-~]{1,9}){0,6}") {
        prop_assert_eq!(candidate.to_string().parse(), Ok(candidate.clone()));
        prop_assert_eq!(format!("{candidate}{more}").parse(), Ok(candidate.clone()));
        let json = serde_json::to_string(&candidate).unwrap();
        prop_assert_eq!(serde_json::from_str::<Candidate>(&json).unwrap(), candidate);
    }

    #[test]
    fn what_is_read_as_a_candidate_is_read_again_as_it_is_written(text in "candidate:[ -~]{0,80}|\\PC{0,80}") {
        if let Ok(candidate) = text.parse::<Candidate>() {
            prop_assert_eq!(candidate.to_string().parse(), Ok(candidate));
        }
    }

    #[test]
    fn fragments_are_read_back_whatever_ends_their_lines(fragment in fragment(), end in "\r\n|\n|\r|\t\r\n|\n\n") {
        let text = fragment.to_string();
        prop_assert_eq!(text.parse(), Ok(fragment.clone()));
        prop_assert_eq!(text.replace("\r\n", &end).parse(), Ok(fragment));
    }

    #[test]
    fn what_is_read_as_a_fragment_is_read_again_as_it_is_written(text in lines()) {
        if let Ok(fragment) = text.parse::<SdpFragment>() {
            prop_assert_eq!(fragment.to_string().parse(), Ok(fragment));
        }
    }

    #[test]
    fn no_candidate_is_left_where_they_are_removed(text in lines()) {
        let without = sdp::without_candidates(&text);
        prop_assert_eq!(sdp::candidates(&without).count(), 0);
        let odd = without.split(['\r', '\n']).any(|line| {
            line.strip_prefix("a=").is_some_and(|value| value.trim_start().starts_with("candidate"))
        });
        prop_assert!(!odd, "{:?}", without);
        prop_assert_eq!(sdp::without_candidates(&without), without);
    }

    #[test]
    fn new_credentials_are_the_only_ones_left(text in lines(), ufrag in "[a-z]{8}", password in "[A-Z]{24}") {
        let changed = sdp::with_credentials(&text, &ufrag, &password);
        for (name, value) in [("ice-ufrag", &ufrag), ("ice-pwd", &password)] {
            let others = changed.lines().filter_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'));
            let others: HashSet<_> = others.collect();
            prop_assert!(others.is_empty() || others == HashSet::from([value.as_str()]), "{:?}", changed);
        }
        prop_assert_eq!(sdp::with_credentials(&changed, &ufrag, &password), changed);
    }

    #[test]
    fn timings_are_read_back_among_other_metrics(steps in steps(), other in "[a-z]{1,9}(;desc=[a-z]{1,9})?") {
        let header = server_timing::encode(steps.clone());
        prop_assert_eq!(server_timing::decode(&header).collect::<Vec<_>>(), steps.clone());
        let among = format!("{other}, {header}");
        prop_assert_eq!(server_timing::decode(&among).collect::<Vec<_>>(), steps);
    }

    #[test]
    fn any_header_of_timings_is_read_without_a_panic(header in "\\PC{0,80}", digits in "-?[0-9]{0,400}(\\.[0-9]*)?(e[0-9]{1,4})?") {
        let _ = server_timing::decode(&header).count();
        let _ = server_timing::decode(&format!("6a;dur={digits}")).count();
    }

    #[test]
    fn a_session_id_has_one_spelling(bytes: [u8; 16], prefix in "(https://[a-z]{1,9}(:[0-9]{1,5})?)?(/[a-z]{1,5}){0,3}") {
        let id = SessionId::from_bytes(bytes);
        let text = id.to_string();
        prop_assert_eq!(text.len(), 32);
        prop_assert_eq!(text.parse(), Ok(id));
        if text.to_uppercase() != text {
            prop_assert!(text.to_uppercase().parse::<SessionId>().is_err());
        }
        let location = format!("{prefix}{}", signal::session_path(id));
        prop_assert_eq!(signal::session_of_location(&location), Some(id));
        for wrong in [format!("{location}/"), format!("{location}0"), location[..location.len() - 1].to_owned()] {
            prop_assert_eq!(signal::session_of_location(&wrong), None);
        }
    }

    #[test]
    fn no_other_text_is_a_session_id(text in "\\PC{0,40}|[0-9a-fA-F]{30,34}") {
        if let Ok(id) = text.parse::<SessionId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn any_sdp_survives_its_json(text in any::<String>()) {
        let offer = SessionDescription::offer(text);
        let json = serde_json::to_string(&offer).unwrap();
        prop_assert_eq!(serde_json::from_str::<SessionDescription>(&json).unwrap(), offer);
    }
}
