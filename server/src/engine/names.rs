//! How fast a peer may open channels.

use std::time::{Duration, Instant};

use crate::channel::ChannelParameters;

/// What the labels and protocols of the channels that a peer opens may add up to at once, in bytes, and in each second
/// that follows; each channel counts [`COST`] more. A peer that opens channels over and over keeps handlers and the log
/// busy: some 4,000 with short names, and then 60 a second, are more than any program needs.
const BURST: usize = 256 * 1024;
const PER_SECOND: u32 = 4 * 1024;
const COST: usize = 64;

/// What a peer has spent on names.
#[derive(Default)]
pub(super) struct Names {
    /// When it will have made up for all.
    even: Option<Instant>,
}

impl Names {
    /// The peer opens a channel. `false` if it opens them too fast.
    pub(super) fn take(&mut self, now: Instant, parameters: &ChannelParameters) -> bool {
        let cost = parameters.label.len() + parameters.protocol.len() + COST;
        let even = self.even.map_or(now, |even| even.max(now)) + time_of(cost);
        self.even = Some(even);
        even <= now + time_of(BURST)
    }
}

/// How long it takes to make up for so many bytes.
fn time_of(bytes: usize) -> Duration {
    Duration::from_secs(bytes as u64) / PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(names: &mut Names, now: Instant, length: usize) -> bool {
        let label = "l".repeat(length);
        let parameters = ChannelParameters {
            label,
            protocol: String::new(),
            id: 1,
            negotiated: false,
            ordered: true,
            max_retransmits: None,
            max_packet_life_time: None,
        };
        names.take(now, &parameters)
    }

    #[test]
    fn a_peer_may_open_very_many_channels_at_once_and_then_ever_again_some() {
        let (mut names, mut now) = (Names::default(), Instant::now());
        assert_eq!((0..10_000).take_while(|_| take(&mut names, now, 0)).count(), BURST / COST);
        for _ in 0..1000 {
            now += Duration::from_secs(1);
            let opened = (0..64).filter(|_| take(&mut names, now, 0)).count();
            assert!(opened >= 63, "{opened}");
        }
        assert!(!take(&mut names, now, 2 * COST));
    }

    #[test]
    fn long_names_count_as_many_short_ones() {
        let (mut names, now) = (Names::default(), Instant::now());
        assert_eq!((0..10_000).take_while(|_| take(&mut names, now, 65_536 - COST)).count(), 4);
    }
}
