//! The messages of a channel that asks for the framing.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hola_webrtc_server::fuzzing::framing(data));
