//! The wall clock, which may be set at any time. Sessions, limits and rates count by the other one, which only goes on.

use std::time::Instant;

use axum::{extract::Request, middleware::Next, response::Response};
use headers::{Date, HeaderMapExt};
use time::{Duration, OffsetDateTime};

/// By less than this the clock does not jump: it is slewed, or the two were not read at once.
const JUMP: Duration = Duration::SECOND;

/// What dates are held against: those of certificates and of replies. Nothing else depends on it.
#[expect(clippy::disallowed_methods, reason = "dates are by the wall clock")]
pub(super) fn today() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Notices when the wall clock is set.
pub(super) struct WallClock {
    /// Both clocks at the last look.
    seen: (Instant, OffsetDateTime),
}

impl WallClock {
    pub(super) fn new(now: Instant, today: OffsetDateTime) -> Self {
        Self { seen: (now, today) }
    }

    /// By how much the wall clock has been set since the last look, if it has: less than nothing if back.
    pub(super) fn jumped(&mut self, now: Instant, today: OffsetDateTime) -> Option<Duration> {
        let (then, yesterday) = std::mem::replace(&mut self.seen, (now, today));
        let by = (today - yesterday) - (now - then);
        (by.abs() >= JUMP).then_some(by)
    }
}

/// Dates a reply (RFC 9110, 6.6.1). Without a date, hyper says the latest it has seen, also when the clock is set back.
pub(super) async fn date(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().typed_insert(Date::from(std::time::SystemTime::from(today())));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_goes_does_not_jump_and_one_that_is_set_jumps_once() {
        const YEAR: Duration = Duration::days(365);
        let (now, today) = (Instant::now(), OffsetDateTime::UNIX_EPOCH + 50 * YEAR);
        let mut clock = WallClock::new(now, today);
        let mut look = |seconds: u64, off: Duration| {
            let passed = std::time::Duration::from_secs(seconds);
            clock.jumped(now + passed, today + passed + off)
        };
        assert_eq!(look(5, Duration::ZERO), None);
        assert_eq!(look(10, Duration::milliseconds(-900)), None, "it is slewed");
        assert_eq!(look(15, YEAR - Duration::milliseconds(900)), Some(YEAR));
        assert_eq!(look(20, YEAR), None);
        assert_eq!(look(25, -YEAR), Some(-2 * YEAR));
        assert_eq!(look(30, Duration::SECOND - YEAR), Some(Duration::SECOND));
    }
}
