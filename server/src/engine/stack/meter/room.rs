//! How much more the peer is told that it may send. rtc-sctp counts the bytes that wait to be read; here the chunks count as
//! well, which cost more than their bytes if those are few. A peer that is told of too much loses what is beyond, and stands still
//! until its timer ends; so it is told of no more than makes up chunks that may wait, if they are as long as the last ones.

/// Of how many chunks the mean length is taken.
const LATELY: usize = 64;

/// What a chunk counts for at least. Peers have a cost of their own for each that is on its way (dcSCTP its header, usrsctp 256
/// bytes): if the smallest counted for no more than their bytes, such a peer would send but a few at a time.
const LEAST_LENGTH: usize = 32;

/// What a chunk carries if nothing is known of it: about what a packet holds.
const USUAL_LENGTH: usize = 1024;

pub(super) struct Room {
    /// The receive window when nothing waits to be read.
    window: usize,
    /// With how many chunks that wait the window is closed.
    chunks: usize,
    /// How many bytes the last chunks had, together.
    lately: usize,
    /// What the last acknowledgement told the peer.
    told: Option<usize>,
}

impl Room {
    pub(super) fn new(window: usize, chunks: usize) -> Self {
        Self { window, chunks, lately: LATELY * USUAL_LENGTH, told: None }
    }

    /// A chunk has come with so many bytes.
    pub(super) fn received(&mut self, length: usize) {
        self.lately = self.lately - self.lately / LATELY + length;
    }

    /// An acknowledgement leaves, while so much waits, and SCTP has so much room. Returns what the peer is told.
    pub(super) fn tell(&mut self, room: usize, chunks: usize) -> usize {
        let told = room.min(self.of_chunks(chunks));
        self.told = Some(told);
        told
    }

    /// Whether the peer is to hear, while so much waits, that there is room again: only once that has opened by half, so that
    /// no acknowledgement tells of little.
    pub(super) fn has_opened(&self, queued: usize, chunks: usize) -> bool {
        let room = self.window.saturating_sub(queued).min(self.of_chunks(chunks));
        let half = self.window.min(self.of_chunks(0)) / 2;
        self.told.is_some_and(|told| told < half && room >= told + half)
    }

    /// What makes up as many chunks as may wait beside those that do.
    fn of_chunks(&self, waiting: usize) -> usize {
        self.chunks.saturating_sub(waiting) * (self.lately / LATELY).max(LEAST_LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: usize = 1 << 20;
    const CHUNKS: usize = 2048;

    fn after_many(length: usize) -> Room {
        let mut room = Room::new(WINDOW, CHUNKS);
        for _ in 0..1000 {
            room.received(length);
        }
        room
    }

    #[test]
    fn a_peer_that_counts_256_bytes_for_each_chunk_may_send_hundreds_of_the_smallest_at_a_time() {
        for length in [1, 8, 20, 60] {
            let at_a_time = after_many(length).tell(WINDOW, 0) / (256 + length);
            assert!(at_a_time >= 200, "{at_a_time} of {length} bytes");
        }
    }

    #[test]
    fn the_more_small_ones_wait_the_less_may_come() {
        let mut room = after_many(40);
        let mut told = room.tell(WINDOW, 0);
        assert!(told <= 41 * CHUNKS, "{told}");
        for waiting in [CHUNKS / 2, CHUNKS - 1, CHUNKS, CHUNKS + 1] {
            let next = room.tell(WINDOW, waiting);
            assert!(next < told || (next, told) == (0, 0), "{next} after {told} with {waiting}");
            told = next;
        }
        assert!(!room.has_opened(0, CHUNKS - 1) && room.has_opened(0, CHUNKS / 2), "by half");
    }

    #[test]
    fn messages_that_fill_packets_are_stopped_by_their_bytes_alone() {
        let mut room = after_many(1100);
        for waiting in (0..WINDOW / 1100).step_by(64) {
            let bytes = WINDOW - 1100 * waiting;
            assert_eq!(room.tell(bytes, waiting), bytes);
        }
    }
}
