//! The body of a `PATCH`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hola_webrtc_server::fuzzing::sdp_fragment(data));
