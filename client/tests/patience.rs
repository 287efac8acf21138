//! What takes a browser its time. In a file of its own, as the test runner bounds the time of each.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use hola_webrtc_client::{ConnectOptions, ErrorKind, Phase, connect_with};
use support::{answerer::Answerer, within};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn checks_that_never_succeed_are_a_failure_of_ice() {
    // Chromium takes about 15 s to give up, Firefox 5 s.
    let answerer = Answerer::tampering(|sdp| sdp.replace("a=ice-pwd:", "a=ice-pwd:x"));
    let options = ConnectOptions::default().deadline(Duration::from_mins(1));
    let error = within(Duration::from_mins(1), connect_with(answerer, options)).await.unwrap_err();
    assert_eq!((error.phase, &error.kind), (Phase::Ice, &ErrorKind::IceFailed), "{error}");
}
