//! The instruments that `prometheus-client` has no lock-free form of: families whose labels are known beforehand, and
//! histograms of times.

use std::{
    fmt,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, TypedMetric},
};

use super::labels::Label;

/// One metric for each value of a label.
#[derive(Debug)]
pub(super) struct PerLabel<L, M> {
    key: &'static str,
    metrics: Arc<[M]>,
    label: PhantomData<L>,
}

impl<L: Label, M: Default> PerLabel<L, M> {
    pub(super) fn new(key: &'static str) -> Self {
        Self { key, metrics: L::ALL.iter().map(|_| M::default()).collect(), label: PhantomData }
    }

    /// `None` for a value that is not measured.
    pub(super) fn get(&self, label: L) -> Option<&M> {
        self.metrics.get(label.index())
    }
}

impl<L, M> Clone for PerLabel<L, M> {
    fn clone(&self) -> Self {
        Self { key: self.key, metrics: self.metrics.clone(), label: PhantomData }
    }
}

impl<L: Label, M: EncodeMetric + TypedMetric> EncodeMetric for PerLabel<L, M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for (label, metric) in L::ALL.iter().zip(&*self.metrics) {
            metric.encode(encoder.encode_family(&[(self.key, label.name())])?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// By itself, because rustc 1.95 loops over `BOUNDS.len()` in an array's type when it optimises.
const BOUND_COUNT: usize = 18;

/// From a turn of the engine to a connection that barely comes up: steps of 2 to 2.5.
const BOUNDS: [Duration; BOUND_COUNT] = [
    micros(20),
    micros(50),
    micros(100),
    micros(250),
    micros(500),
    micros(1_000),
    micros(2_500),
    micros(5_000),
    micros(10_000),
    micros(25_000),
    micros(50_000),
    micros(100_000),
    micros(250_000),
    micros(500_000),
    micros(1_000_000),
    micros(2_500_000),
    micros(5_000_000),
    micros(15_000_000),
];

/// A histogram of times.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// How many times lay within each bound and not within the one before.
    within: [AtomicU64; BOUND_COUNT],
    beyond: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Times {
    pub(super) fn observe(&self, time: Duration) {
        let bound = BOUNDS.partition_point(|bound| *bound < time);
        self.inner.within.get(bound).unwrap_or(&self.inner.beyond).fetch_add(1, Relaxed);
        self.inner.nanoseconds.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let sum = Duration::from_nanos(self.inner.nanoseconds.load(Relaxed)).as_secs_f64();
        let within = BOUNDS.iter().zip(&self.inner.within);
        let mut buckets: Vec<(f64, u64)> =
            within.map(|(bound, count)| (bound.as_secs_f64(), count.load(Relaxed))).collect();
        buckets.push((f64::INFINITY, self.inner.beyond.load(Relaxed)));
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Times {
    const TYPE: MetricType = MetricType::Histogram;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_within_the_first_bound_that_it_does_not_exceed() {
        assert!(BOUNDS.is_sorted());
        let times = Times::default();
        for micros in [0, 20, 21, 1_000, 15_000_000, 15_000_001] {
            times.observe(Duration::from_micros(micros));
        }
        let within: Vec<u64> = times.inner.within.iter().map(|count| count.load(Relaxed)).collect();
        assert_eq!(within, [2, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(times.inner.beyond.load(Relaxed), 1);
        assert_eq!(times.inner.nanoseconds.load(Relaxed), 30_001_042_000);
    }
}
