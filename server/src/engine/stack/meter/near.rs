//! How much is on its way between this side and a peer that is near. There is no network in between to hold it: it waits in the
//! kernel's buffer for the peer's socket, which on Linux has 208 KiB unless the peer has asked for more, and in which a datagram
//! counts for about twice its bytes, and the shortest for 768. What is beyond is dropped, and lost in such numbers it is sent again
//! only once SCTP's timer ends.

use std::time::Duration;

/// From which round trip on a peer is not near.
pub(in crate::engine::stack) const FAR: Duration = Duration::from_millis(2);

/// How much may be on its way to the peer, and from the peer in any case.
pub(super) const FLIGHT: u32 = 64 * 1024;

/// How many acknowledgements what the peer may have on its way draws at most, if that is more than the above. There are peers
/// that read one datagram and send several: what acknowledges those takes up the room for data.
pub(super) const REPORTS: u32 = 8;

/// Of how many acknowledgements the mean is taken.
const LATELY: u32 = 8;

#[derive(Default)]
pub(super) struct Near {
    is_far: bool,
    /// How many bytes of DATA have come since the last acknowledgement.
    unreported: u32,
    /// How many the last acknowledgements were for, together.
    reported: u32,
}

impl Near {
    pub(super) fn is_far(&self) -> bool {
        self.is_far
    }

    pub(super) fn set_far(&mut self, is_far: bool) {
        self.is_far = is_far;
    }

    /// So many bytes of DATA have come.
    pub(super) fn received(&mut self, bytes: usize) {
        self.unreported = self.unreported.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// What SCTP is told instead of the window that the peer has shown.
    pub(super) fn flight(&self, window: usize) -> Option<u32> {
        (!self.is_far && window > FLIGHT as usize).then_some(FLIGHT)
    }

    /// An acknowledgement leaves: the most that the peer is to have on its way.
    pub(super) fn most(&mut self) -> usize {
        if self.is_far {
            return usize::MAX;
        }
        let unreported = std::mem::take(&mut self.unreported);
        self.reported = (self.reported - self.reported / LATELY).saturating_add(unreported);
        (self.reported / LATELY).saturating_mul(REPORTS).max(FLIGHT) as usize
    }
}
