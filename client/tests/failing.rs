//! How a connection inside the page fails to come up.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use hola_webrtc_client::{ChannelOptions, ConnectOptions, ErrorKind, Phase, Step, TraceData, connect_with};
use support::{answerer::Answerer, soon};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn options_that_exclude_each_other_are_an_error_of_step_2() {
    let channel = ChannelOptions::default().max_retransmits(1).max_packet_life_time(1);
    let options = ConnectOptions::default().channel(&channel);
    let error = soon(connect_with(Answerer::new(), options)).await.unwrap_err();
    assert_eq!((error.step, &error.kind), (Step::CreateDataChannel, &ErrorKind::Js));
    assert!(error.to_string().contains("TypeError"), "{error}");
}

#[wasm_bindgen_test]
async fn a_wrong_fingerprint_is_a_failure_of_dtls() {
    let answerer = Answerer::tampering(|sdp| {
        let lines = sdp.split_inclusive('\n').map(|line| match line.strip_prefix("a=fingerprint:sha-256 ") {
            Some(print) => {
                let other = if print.starts_with("00") { "11" } else { "00" };
                format!("a=fingerprint:sha-256 {other}{}", &print[2..])
            }
            None => line.to_owned(),
        });
        lines.collect()
    });
    let connecting = connect_with(answerer.clone(), ConnectOptions::default());
    let trace = connecting.trace();
    let error = soon(connecting).await.unwrap_err();
    assert_eq!((error.phase, &error.kind), (Phase::Dtls, &ErrorKind::DtlsFailed), "{error} {trace:?}");
    let last = trace.events().pop().unwrap();
    assert_eq!(
        (last.step, last.data),
        (Step::HandshakeDtls, TraceData::Failed { phase: Phase::Dtls, message: error.to_string() })
    );
    assert_eq!(answerer.ended(), 1);
}

#[wasm_bindgen_test]
async fn an_other_side_that_cannot_be_reached_runs_into_the_deadline_of_ice() {
    let answerer = Answerer::tampering(|sdp| sdp.replace("a=ice-pwd:", "a=ice-pwd:x"));
    let options = ConnectOptions::default().deadline(Duration::from_secs(1));
    let error = soon(connect_with(answerer, options)).await.unwrap_err();
    assert_eq!((error.phase, &error.kind), (Phase::Ice, &ErrorKind::Timeout), "{error}");
    assert!(error.retryable());
}

#[wasm_bindgen_test]
async fn an_answer_that_the_browser_does_not_accept_is_told_as_such() {
    let answerer = Answerer::tampering(|_| "v=0\r\nnonsense".to_owned());
    let error = soon(connect_with(answerer.clone(), ConnectOptions::default())).await.unwrap_err();
    assert_eq!((error.step, &error.kind), (Step::SetRemoteAnswer, &ErrorKind::BadAnswer), "{error}");
    assert_eq!(answerer.ended(), 1);
}

#[wasm_bindgen_test]
async fn a_browser_without_webrtc_is_told_as_such() {
    let answerer = Answerer::new();
    let global = js_sys::global();
    let constructor = js_sys::Reflect::get(&global, &"RTCPeerConnection".into()).unwrap();
    js_sys::Reflect::delete_property(&global, &"RTCPeerConnection".into()).unwrap();
    let error = soon(connect_with(answerer, ConnectOptions::default())).await;
    js_sys::Reflect::set(&global, &"RTCPeerConnection".into(), &constructor).unwrap();
    assert_eq!(error.unwrap_err().kind, ErrorKind::Unsupported);
}
