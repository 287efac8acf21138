//! Whether a client dawdles over the head of a request of HTTP/1.1.
//!
//! hyper lets such a client go without a word to anybody, so what it judges by is noted here a second time.

use std::time::Duration;

use tokio::time::Instant;

/// What has come of the head that the server waits for.
#[derive(Debug)]
pub(super) struct Heads {
    patience: Duration,
    /// Since when the server waits for it: the beginning, or the last reply.
    since: Instant,
    has_begun: bool,
    /// How many line ends came in a row; two are the head's end (RFC 9112, 2.1).
    line_ends: u8,
}

impl Heads {
    pub(super) fn new(patience: Duration) -> Self {
        Self { patience, since: Instant::now(), has_begun: false, line_ends: 0 }
    }

    /// Notes what came.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        self.has_begun |= !bytes.is_empty();
        for byte in bytes {
            match byte {
                // What follows the head is not looked at.
                _ if self.line_ends == 2 => return,
                b'\n' => self.line_ends += 1,
                b'\r' => {}
                _ => self.line_ends = 0,
            }
        }
    }

    /// Notes that a reply goes out: what comes next is another head.
    pub(super) fn replied(&mut self) {
        *self = Self::new(self.patience);
    }

    /// Whether a head has begun and not come to its end in time.
    pub(super) fn is_late(&self) -> bool {
        self.has_begun && self.line_ends < 2 && self.since.elapsed() >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_head_is_late_when_its_end_does_not_come_in_time() {
        for (parts, is_late) in [
            (&["GET / HTTP/1.1\r\nhost: x\r\n\r\n"][..], false),
            (&["GET / HTTP/1.1\r\n", "\r", "\n", "body"], false),
            (&["GET / HTTP/1.1\n\nbody\n"], false),
            (&["GET / HTTP/1.1\r\nhost: x\r\n"], true),
            (&["G"], true),
            (&[], false),
        ] {
            let mut heads = Heads::new(PATIENCE);
            for part in parts {
                heads.received(part.as_bytes());
            }
            assert!(!heads.is_late(), "{parts:?}");
            advance(PATIENCE).await;
            assert_eq!(heads.is_late(), is_late, "{parts:?}");
            heads.replied();
            heads.received(b"GET /");
            assert!(!heads.is_late(), "the next has its own time");
        }
    }
}
