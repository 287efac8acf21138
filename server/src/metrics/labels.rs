//! What the labels of the metrics may be.

use hola_webrtc_protocol::Step;

use crate::session::Closed;

/// A label whose values are known beforehand: each has its counter from the start, found without a lock.
pub(super) trait Label: Copy + Send + Sync + 'static {
    /// Every value, in the order in which the text lists them.
    const ALL: &'static [Self];

    /// The value as it stands in the text.
    fn name(self) -> &'static str;

    /// Its place among all; beyond them if it has none.
    fn index(self) -> usize;
}

macro_rules! labels {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident {
        $($(#[$value_meta:meta])* $value:ident = $text:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $visibility enum $name { $($(#[$value_meta])* $value),+ }

        impl Label for $name {
            const ALL: &'static [Self] = &[$(Self::$value),+];

            fn name(self) -> &'static str {
                match self { $(Self::$value => $text),+ }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

labels! {
    /// How far a session has come.
    pub(crate) enum SessionState {
        /// Answered; ICE has found no pair yet.
        Checking = "checking",
        /// DTLS and SCTP come up.
        Connecting = "connecting",
        /// Its first channel has opened.
        Open = "open",
    }
}

labels! {
    /// Which way something travels, as seen from the server.
    pub(crate) enum Direction {
        In = "in",
        Out = "out",
    }
}

labels! {
    /// Why a datagram was dropped.
    pub(crate) enum Dropped {
        /// It belongs to no session.
        NoSession = "no-session",
        /// Its session has no room for another pair of addresses, or this server no such address.
        NoPath = "no-path",
        /// It would have gone to an address that has not proved itself, beyond three times what came from there.
        Untrusted = "untrusted",
        /// The protocol core refused it.
        Refused = "refused",
        /// The worker that it was to be handed over to is too far behind.
        HandOver = "hand-over",
        /// The system could not send it.
        Send = "send",
    }
}

labels! {
    /// A limit, by the flag that sets it, if one does.
    #[non_exhaustive]
    pub enum Limit {
        /// Sessions in all.
        MaxSessions = "max-sessions",
        /// Sessions of one client address.
        MaxSessionsPerAddress = "max-sessions-per-address",
        /// Offers of one client address a second, with the burst that it may save up.
        OffersPerSecond = "offers-per-second",
        /// `PATCH` requests of one client address a second, with the burst that it may save up.
        PatchesPerSecond = "patches-per-second",
        /// Bytes of a request's body.
        MaxOfferBytes = "max-offer-bytes",
        /// Lines of an offer.
        MaxOfferLines = "max-offer-lines",
        /// Candidates of a session.
        MaxCandidates = "max-candidates",
        /// The time a request's body takes to arrive.
        BodyTimeout = "body-timeout",
        /// Streams of a session's events.
        MaxEventStreams = "max-event-streams",
        /// Channels of a session.
        MaxChannels = "max-channels",
        /// Bytes of a message.
        MaxMessageSize = "max-message-size",
        /// Bytes of a message on a channel that speaks the framing.
        MaxFramedMessage = "max-framed-message",
        /// Bytes that wait in one session.
        SessionBuffer = "session-buffer",
        /// Bytes that wait in all sessions.
        TotalBuffer = "total-buffer",
        /// What makes up no message, or is more than a handshake of DTLS takes. No flag sets it.
        Flood = "flood",
        /// Resumable channels in all.
        MaxResumable = "max-resumable",
        /// Resumable channels of one client address.
        MaxResumablePerAddress = "max-resumable-per-address",
        /// The time a resumable channel waits for its client.
        ResumeTimeout = "resume-timeout",
        /// Bytes that wait for clients that are away.
        ResumeBuffer = "resume-buffer",
        /// Bytes that wait for clients of one address that are away.
        ResumeBufferPerAddress = "resume-buffer-per-address",
        /// The time from the answer to the first connectivity check.
        CheckTimeout = "check-timeout",
        /// The time from the answer to the first open channel.
        OpenTimeout = "open-timeout",
        /// The time without a sign of life.
        SilenceTimeout = "silence-timeout",
        /// The time without a message.
        IdleTimeout = "idle-timeout",
        /// TCP connections in all.
        MaxConnections = "max-connections",
        /// TCP connections of one client address.
        MaxConnectionsPerAddress = "max-connections-per-address",
        /// TLS handshakes in flight.
        MaxHandshakes = "max-handshakes",
        /// The time a TLS handshake or a request's head takes.
        HeaderTimeout = "header-timeout",
        /// The time a client takes to read on.
        WriteTimeout = "write-timeout",
    }
}

impl Limit {
    /// Whether it bounds a time. Such limits are met every day, by clients that went away.
    pub(super) fn is_time(self) -> bool {
        self.name().ends_with("-timeout")
    }

    /// The limit that ends a session for this reason, if one does.
    pub(crate) fn that_ends(reason: Closed) -> Option<Self> {
        Some(match reason {
            Closed::NeverConnected => Self::CheckTimeout,
            Closed::NotOpenInTime => Self::OpenTimeout,
            Closed::TooManyChannels => Self::MaxChannels,
            Closed::Silent => Self::SilenceTimeout,
            Closed::Idle => Self::IdleTimeout,
            _ => return None,
        })
    }
}

/// The server's parts of the negotiation, and the layers that come up.
impl Label for Step {
    const ALL: &'static [Self] = &[
        Self::BuildPeer,
        Self::SetRemoteOffer,
        Self::AddHostCandidates,
        Self::CreateAnswer,
        Self::SetLocalAnswer,
        Self::CheckConnectivity,
        Self::HandshakeDtls,
        Self::AssociateSctp,
        Self::OpenChannel,
    ];

    fn name(self) -> &'static str {
        self.label()
    }

    fn index(self) -> usize {
        <Self as Label>::ALL.iter().position(|step| *step == self).unwrap_or(usize::MAX)
    }
}

/// Why sessions end.
impl Label for Closed {
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.as_str()
    }

    fn index(self) -> usize {
        <Self as Label>::ALL.iter().position(|reason| *reason == self).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_own_place_and_name() {
        fn assert_distinct<L: Label>() {
            assert!(L::ALL.iter().enumerate().all(|(place, value)| value.index() == place));
            let mut names: Vec<_> = L::ALL.iter().map(|value| value.name()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), L::ALL.len());
        }
        assert_distinct::<SessionState>();
        assert_distinct::<Direction>();
        assert_distinct::<Dropped>();
        assert_distinct::<Limit>();
        assert_distinct::<Step>();
        assert_distinct::<Closed>();
    }
}
