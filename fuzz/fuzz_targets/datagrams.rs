//! Datagrams at a port with live connections.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hola_webrtc_server::fuzzing::datagrams(data));
