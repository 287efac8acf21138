//! How long a round trip takes, by what sets the association up (RFC 9260, 5.1): each step of one side draws the next of the
//! other. Both sides may begin, so that replies to different steps come together.

use std::time::{Duration, Instant};

use super::FIRST_CHUNK;

/// A chunk, and the one that it draws: INIT, INIT ACK, COOKIE ECHO, COOKIE ACK.
const STEPS: [(u8, u8); 3] = [(1, 2), (2, 10), (10, 11)];

#[derive(Default)]
pub(super) struct SetUp {
    /// When each step was sent first: one that had to be sent again shows a round trip too long, which is the safe side.
    sent: [Option<Instant>; STEPS.len()],
    shortest: Option<Duration>,
}

impl SetUp {
    pub(super) fn sends(&mut self, now: Instant, packet: &[u8]) {
        for ((step, _), sent) in STEPS.iter().zip(&mut self.sent) {
            if packet.get(FIRST_CHUNK) == Some(step) {
                sent.get_or_insert(now);
            }
        }
    }

    pub(super) fn received(&mut self, now: Instant, packet: &[u8]) {
        for ((_, reply), sent) in STEPS.iter().zip(&self.sent) {
            if let Some(sent) = sent
                && packet.get(FIRST_CHUNK) == Some(reply)
            {
                let took = now.saturating_duration_since(*sent);
                self.shortest = Some(self.shortest.map_or(took, |shortest| shortest.min(took)));
            }
        }
    }

    /// The shortest that was seen; the peer's own delays are in it.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn packet(chunk: u8) -> [u8; 16] {
        let mut packet = [0; 16];
        packet[FIRST_CHUNK] = chunk;
        packet
    }

    #[test]
    fn replies_that_come_together_are_told_apart() {
        let (begun, mut set_up) = (Instant::now(), SetUp::default());
        set_up.sends(begun, &packet(1));
        set_up.received(begun + MS, &packet(1));
        set_up.sends(begun + MS, &packet(2));
        assert_eq!(set_up.round_trip(), None);
        set_up.received(begun + 50 * MS, &packet(2));
        set_up.sends(begun + 50 * MS, &packet(10));
        // On the heels of the one before, and no reply to what was sent meanwhile.
        set_up.received(begun + 51 * MS, &packet(10));
        assert_eq!(set_up.round_trip(), Some(50 * MS));
        set_up.received(begun + 99 * MS, &packet(11));
        assert_eq!(set_up.round_trip(), Some(49 * MS));
    }

    #[test]
    fn a_step_that_was_sent_again_counts_from_the_first_time() {
        let (begun, mut set_up) = (Instant::now(), SetUp::default());
        set_up.sends(begun, &packet(1));
        set_up.sends(begun + 1000 * MS, &packet(1));
        set_up.received(begun + 1001 * MS, &packet(2));
        assert_eq!(set_up.round_trip(), Some(1001 * MS));
    }
}
