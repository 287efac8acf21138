//! The body of `POST /offer`, through the whole of step 6.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    hola_webrtc_server::fuzzing::offer(data);
});
