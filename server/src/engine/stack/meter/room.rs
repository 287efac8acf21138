//! How much more the peer is told that it may send. rtc-sctp counts the bytes that wait to be read; here the chunks count as
//! well, which cost more than their bytes if those are few. A peer that is told of too much loses what is beyond, and stands still
//! until its timer ends; so it is told of no more than makes up chunks that may wait, if they are as long as the last ones.

/// Of how many chunks the mean length is taken.
const LATELY: usize = 64;

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
        self.chunks.saturating_sub(waiting) * (self.lately / LATELY).max(1)
    }
}
