//! The entry points of the fuzz targets. Each takes bytes as a stranger may send them, and panics where the server does
//! not bear up: by a panic of its own, or because something does not hold that has to.

#![allow(clippy::missing_panics_doc, reason = "a panic is what a fuzzer looks for")]

use hola_webrtc_protocol::{Candidate, SdpFragment};

pub use crate::engine::tests::fuzzing::{datagrams, first_stun, offer};

#[cfg(test)]
mod tests;

/// The body of a `PATCH`: a fragment that is read is read again as it is written.
pub fn sdp_fragment(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(fragment) = text.parse::<SdpFragment>() {
        assert_eq!(fragment.to_string().parse(), Ok(fragment));
    }
    if let Ok(candidate) = text.parse::<Candidate>() {
        assert_eq!(candidate.to_string().parse(), Ok(candidate));
    }
}
