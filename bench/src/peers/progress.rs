//! What is told while it is measured, on standard error.

use std::time::{Duration, Instant};

use super::results::Record;

/// How far the work is.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    last: Instant,
    done: usize,
    all: usize,
}

impl Progress {
    pub(crate) fn begin(all: usize) -> Self {
        eprintln!("{all} measurements to take");
        let now = Instant::now();
        Self { begun: now, last: now, done: 0, all }
    }

    /// Tells what comes next.
    pub(crate) fn announce(&mut self, round: u32, rounds: u32, what: &str) {
        self.last = Instant::now();
        eprint!("[{}/{}, round {round} of {rounds}] {what} … ", self.done + 1, self.all);
    }

    /// Tells how it went, and how long the rest will take if it takes as long.
    pub(crate) fn done(&mut self, record: &Record) {
        self.done += 1;
        let left = self.begun.elapsed().div_f64(self.done as f64).mul_f64((self.all - self.done) as f64);
        eprintln!("{} ({:.1} s; {} left)", told(record), self.last.elapsed().as_secs_f64(), rough(left));
    }
}

fn told(record: &Record) -> String {
    if let Some(failure) = &record.failure {
        return format!("FAILED: {failure}");
    }
    let figures = record.figures.iter().map(|(name, value)| format!("{name} {value:.3}"));
    figures.collect::<Vec<_>>().join(", ")
}

fn rough(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_roughly() {
        assert_eq!(rough(Duration::from_secs(42)), "42 s");
        assert_eq!(rough(Duration::from_secs(3601)), "61 min");
    }
}
