//! The answer as SDP (RFC 8829, 5.3).

use std::fmt::Write;

use hola_webrtc_protocol::Candidate;

use super::{IceCredentials, offered::Offered};
use crate::engine::Fingerprint;

/// What the answer says of the server.
pub(super) struct Local<'a> {
    pub(super) session: u64,
    pub(super) credentials: &'a IceCredentials,
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) candidates: &'a [Candidate],
    pub(super) max_message_size: u32,
    /// What it says of SCTP, if the offer does.
    pub(super) init: Option<&'a str>,
}

/// The answer: the section for data channels is accepted, and every other one rejected.
pub(super) fn describe(offered: &Offered, local: &Local<'_>) -> String {
    let Local { session, credentials, fingerprint, candidates, max_message_size, init } = local;
    let IceCredentials { ufrag, password } = credentials;
    let mut lines = Lines(String::with_capacity(1024));
    lines.push("v=0");
    lines.push(format_args!("o=- {session} 2 IN IP4 0.0.0.0"));
    lines.push("s=-");
    lines.push("t=0 0");
    let data = offered.sections.iter().find(|section| section.is_data);
    if let Some(data) = data.filter(|_| offered.is_bundled) {
        lines.push(format_args!("a=group:BUNDLE {}", data.mid));
    }
    for section in &offered.sections {
        let port = if section.is_data { 9 } else { 0 };
        lines.push(format_args!("m={} {port} {} {}", section.media, section.protocol, section.format));
        lines.push("c=IN IP4 0.0.0.0");
        if !section.mid.is_empty() {
            lines.push(format_args!("a=mid:{}", section.mid));
        }
        if !section.is_data {
            lines.push("a=inactive");
            continue;
        }
        lines.push(format_args!("a=ice-ufrag:{ufrag}"));
        lines.push(format_args!("a=ice-pwd:{password}"));
        lines.push(format_args!("a=fingerprint:{fingerprint}"));
        // The DTLS client speaks first: its ClientHello leaves with the end of ICE, a round trip sooner than the
        // browser's would get past this server's HelloVerifyRequest.
        lines.push("a=setup:active");
        lines.push("a=sctp-port:5000");
        lines.push(format_args!("a=max-message-size:{max_message_size}"));
        if let Some(init) = init {
            lines.push(format_args!("a=sctp-init:{init}"));
        }
        for candidate in *candidates {
            lines.push(format_args!("a={candidate}"));
        }
        // No more will follow. https://www.rfc-editor.org/rfc/rfc8840#section-8.2
        lines.push("a=end-of-candidates");
    }
    lines.0
}

struct Lines(String);

impl Lines {
    fn push(&mut self, line: impl std::fmt::Display) {
        // Writing into a string does not fail.
        let _ = write!(self.0, "{line}\r\n");
    }
}
