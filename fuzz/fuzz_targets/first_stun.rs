//! The first datagram of an unknown address.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    hola_webrtc_server::fuzzing::first_stun(data);
});
