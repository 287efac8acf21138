//! Figures of one measurement.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// Named figures, whose units their names' table has (`report/quantity.rs`).
pub(crate) type Figures = BTreeMap<String, f64>;

/// How times are spread, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) mean: f64,
    pub(crate) count: usize,
}

impl Quantiles {
    /// Those of some times; of none they are not numbers.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let millis = |time: &Duration| time.as_secs_f64() * 1e3;
        let at = |thousandths: usize| {
            let index = (times.len() * thousandths / 1000).min(times.len().saturating_sub(1));
            times.get(index).map_or(f64::NAN, millis)
        };
        let mean = times.iter().map(millis).sum::<f64>() / times.len() as f64;
        Self { p50: at(500), p90: at(900), p99: at(990), p999: at(999), mean, count: times.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_measured() {
        let times = (1..=1000).rev().map(Duration::from_millis).collect();
        let of = Quantiles::of(times);
        assert_eq!((of.p50, of.p90, of.p99, of.p999), (501.0, 901.0, 991.0, 1000.0));
        assert_eq!((of.mean, of.count), (500.5, 1000));
        let one = Quantiles::of(vec![Duration::from_millis(7)]);
        assert_eq!((one.p50, one.p999), (7.0, 7.0));
        assert!(Quantiles::of(Vec::new()).p50.is_nan());
    }
}
