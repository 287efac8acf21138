//! Medians, spreads, ratios.

/// Which way is better.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// The figures of several rounds in short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) rounds: usize,
}

impl Summary {
    /// `None` without any figure.
    pub(crate) fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.iter().copied().filter(|figure| figure.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Some(Self { median, least, most, rounds: sorted.len() })
    }

    /// From the least to the most, in per cent of the median. `None` if there was one round, or the median is 0.
    pub(crate) fn spread(&self) -> Option<f64> {
        let is_known = self.rounds > 1 && self.median != 0.0;
        is_known.then(|| (self.most - self.least) / self.median.abs() * 100.0)
    }
}

impl Better {
    /// The best of some figures.
    pub(crate) fn best(self, figures: impl Iterator<Item = f64>) -> Option<f64> {
        match self {
            Self::Lower => figures.reduce(f64::min),
            Self::Higher => figures.reduce(f64::max),
        }
    }

    /// A figure in relation to another, as its plain quotient. `None` where that has no meaning.
    pub(crate) fn ratio(figure: f64, to: f64) -> Option<f64> {
        (figure > 0.0 && to > 0.0).then(|| figure / to)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers have no rounding")]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_of_the_sorted_figures() {
        assert_eq!(Summary::of(&[3.0, 1.0, 9.0]).unwrap().median, 3.0);
        assert_eq!(Summary::of(&[4.0, 1.0, 2.0, 100.0]).unwrap().median, 3.0);
        assert_eq!(
            Summary::of(&[f64::NAN, 5.0]).unwrap(),
            Summary { median: 5.0, least: 5.0, most: 5.0, rounds: 1 }
        );
        assert_eq!(Summary::of(&[f64::NAN]), None);
    }

    #[test]
    fn the_spread_is_the_whole_range_in_relation_to_the_median() {
        assert_eq!(Summary::of(&[9.0, 10.0, 12.0]).unwrap().spread(), Some(30.0));
        assert_eq!(Summary::of(&[10.0]).unwrap().spread(), None);
        assert_eq!(Summary::of(&[0.0, 0.0]).unwrap().spread(), None);
    }

    #[test]
    fn the_best_depends_on_which_way_is_better() {
        let figures = [2.0, 1.0, 4.0];
        assert_eq!(Better::Lower.best(figures.into_iter()), Some(1.0));
        assert_eq!(Better::Higher.best(figures.into_iter()), Some(4.0));
        assert_eq!(Better::Lower.best(std::iter::empty()), None);
    }

    #[test]
    fn ratios_are_plain_quotients_of_what_is_above_zero() {
        assert_eq!(Better::ratio(3.0, 2.0), Some(1.5));
        assert_eq!(Better::ratio(3.0, 0.0), None);
        assert_eq!(Better::ratio(0.0, 2.0), None);
    }
}
