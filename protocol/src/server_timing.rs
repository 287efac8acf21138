//! How long each part of step 6 took, in the `Server-Timing` header of the reply
//! ([W3C](https://www.w3.org/TR/server-timing/)): `6a;dur=0.412, 6b;dur=0.098`. Browsers show it in their
//! network panel, too.

use std::{fmt::Write, time::Duration};

use crate::Step;

/// The value of the header for these steps.
pub fn encode(steps: impl IntoIterator<Item = (Step, Duration)>) -> String {
    let mut header = String::new();
    for (step, took) in steps {
        let separator = if header.is_empty() { "" } else { ", " };
        // Writing to a `String` cannot fail.
        let _ = write!(header, "{separator}{step};dur={:.3}", took.as_secs_f64() * 1e3);
    }
    header
}

/// The steps that a header names, each with its duration; other metrics are passed over.
pub fn decode(header: &str) -> impl Iterator<Item = (Step, Duration)> {
    header.split(',').filter_map(|metric| {
        let mut fields = metric.split(';').map(str::trim_ascii);
        let step = fields.next()?.parse().ok()?;
        let took = millis(fields.find_map(|field| field.strip_prefix("dur="))?)?;
        Some((step, took))
    })
}

/// A decimal number of milliseconds, to the nanosecond. Read by hand, because the tables that turn any text into the nearest
/// floating-point number would take a tenth of the client's weight.
fn millis(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut nanos, mut digits) = (0, fraction.bytes());
    for _ in 0..6 {
        nanos = nanos * 10 + digits.next().map_or(0, |digit| u64::from(digit - b'0'));
    }
    let whole: u32 = whole.parse().ok()?;
    Some(Duration::from_millis(whole.into()) + Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_survive_the_header_among_other_metrics() {
        let steps =
            [(Step::BuildPeer, Duration::from_micros(412)), (Step::CreateAnswer, Duration::from_millis(2))];
        let header = encode(steps);
        assert_eq!(header, "6a;dur=0.412, 6d;dur=2.000");
        assert_eq!(decode(&format!("cache;desc=hit, {header}, 6e, 6b;dur=-1")).collect::<Vec<_>>(), steps);
    }
}
