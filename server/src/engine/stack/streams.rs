//! The channels of a stack, and what is measured of them.

use std::time::{Duration, Instant};

use super::{Incoming, Stack, StackError, dtls::Dtls, sctp::Sctp};
use crate::{
    channel::{ChannelParameters, Message},
    session::ChannelOptions,
};

/// The channels.
impl Stack {
    /// The next message, or newly opened channel. What comes on a stream that has no room stays in SCTP.
    pub(crate) fn poll_read(&mut self, now: Instant, has_room: impl FnMut(u16) -> bool) -> Option<Incoming> {
        self.sctp.as_mut()?.poll_read(now, has_room)
    }

    /// Opens a channel. Its stream, and what it is like if it is open at once.
    pub(crate) fn open_channel(
        &mut self,
        now: Instant,
        label: &str,
        options: ChannelOptions,
    ) -> Result<(u16, Option<ChannelParameters>), String> {
        let sctp = self.sctp.as_mut().ok_or("the connection is not up yet")?;
        sctp.open(now, label, options)
    }

    pub(crate) fn send(&mut self, now: Instant, stream: u16, message: Message) -> Result<(), StackError> {
        match &mut self.sctp {
            Some(sctp) => Ok(sctp.send(now, stream, message)?),
            None => Err(StackError("the connection is not up yet".to_owned())),
        }
    }

    pub(crate) fn close_channel(&mut self, now: Instant, stream: u16) {
        if let Some(sctp) = &mut self.sctp {
            sctp.close(now, stream);
        }
    }

    /// The largest message, in bytes, that the peer takes.
    pub(crate) fn peers_maximum(&self) -> u32 {
        self.peers_maximum
    }

    /// How many bytes on this stream the peer has not acknowledged.
    pub(crate) fn outstanding(&mut self, stream: u16) -> usize {
        self.sctp.as_mut().map_or(0, |sctp| sctp.outstanding(stream))
    }
}

/// What is measured.
impl Stack {
    /// What waits in SCTP to be read, in bytes.
    pub(crate) fn queued(&self) -> usize {
        self.sctp.as_ref().map_or(0, Sctp::queued)
    }

    /// How many DATA chunks SCTP has sent more than once.
    pub(crate) fn retransmissions(&self) -> u64 {
        self.sctp.as_ref().map_or(0, |sctp| sctp.meter().retransmissions())
    }

    /// Whether the peer sends what makes up no message within the maximum, and more than there is room for.
    pub(crate) fn is_flooded(&self) -> bool {
        self.sctp.as_ref().is_some_and(Sctp::is_flooded)
    }

    /// Whether the peer has sent more for the DTLS handshake than one takes.
    pub(crate) fn is_swamped(&self) -> bool {
        self.dtls.as_ref().is_some_and(Dtls::is_swamped)
    }

    /// The last round trip that a connectivity check has measured.
    pub(crate) fn round_trip_time(&self, now: Instant) -> Option<Duration> {
        self.ice.round_trip_time(now)
    }
}
