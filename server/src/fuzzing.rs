//! The entry points of the fuzz targets. Each takes bytes as a stranger may send them, and panics where the server does
//! not bear up: by a panic of its own, or because something does not hold that has to.

#![allow(clippy::missing_panics_doc, reason = "a panic is what a fuzzer looks for")]

use hola_webrtc_protocol::{
    Candidate, SdpFragment,
    framing::{Framing, Info, Limits, MIN_WINDOW, ResumeId, Role},
};

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

/// The messages of a data channel that asks for the framing. The first byte says which side takes them, and whether it
/// is resumable; each message has its length before it, in two bytes. What the side holds stays bounded.
pub fn framing(data: &[u8]) {
    let limits = Limits { window: MIN_WINDOW, max_message: 64 * 1024, max_transfers: 2, resend: 32 * 1024 };
    let Some((&mode, mut rest)) = data.split_first() else { return };
    let role = if mode & 1 == 0 { Role::Acceptor } else { Role::Opener };
    let mut side = Framing::new(role, limits, (mode & 2 != 0).then_some(ResumeId([7; 16])));
    side.attach();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (frame, behind) = behind.split_at(behind.len().min(u16::from_be_bytes(*length).into()));
        rest = behind;
        // The faults are told; what matters is that nothing panics.
        let _ = side.handle(0, frame, &mut |offset| frame[offset..].to_vec());
        match frame.len() % 8 {
            0 => side.detach(),
            1 => side.attach(),
            2 => drop(side.receive()),
            3 => drop(side.accept().and_then(|(key, _)| side.read(key))),
            4 => drop(side.send(true, frame)),
            5 => drop(side.start(&Info::default()).map(|key| side.write(key, frame))),
            6 => side.stop(1, "enough"),
            _ => while side.transmit(0).is_some() {},
        }
        // Messages and two transfers with a window each, a message, what is unacknowledged, what is sent, and frames
        // that wait.
        assert!(side.held() < 3 * 80 * 1024 + 64 * 1024 + 100 * 1024 + data.len() + 16 * 1024);
    }
    side.give_up();
}
