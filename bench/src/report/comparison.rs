//! The raw results in rows: a quantity, an offerer, and every peer's summary.

use super::{
    quantity::{ALL, Quantity},
    stats::{Better, Summary},
};
use crate::peers::results::{Record, Results};

/// What is compared in one row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) quantity: Quantity,
    pub(crate) number: u32,
    /// In the order of the peers.
    pub(crate) summaries: Vec<Option<Summary>>,
    /// For which of the peers there was no time.
    pub(crate) untaken: Vec<bool>,
}

/// All rows of one offerer.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) offerer: String,
    pub(crate) rows: Vec<Row>,
}

impl Row {
    /// The best median.
    pub(crate) fn best(&self) -> Option<f64> {
        self.quantity.better.best(self.medians())
    }

    /// The best median of the other peers: what the first is measured by.
    pub(crate) fn best_of_others(&self) -> Option<f64> {
        self.quantity.better.best(self.summaries.iter().skip(1).flatten().map(|it| it.median))
    }

    /// Whether every peer was tried, so that the best is the best of all.
    pub(crate) fn is_whole(&self) -> bool {
        !self.untaken.contains(&true)
    }

    /// In how many rounds it was taken.
    pub(crate) fn rounds(&self) -> usize {
        self.summaries.iter().flatten().map(|it| it.rounds).max().unwrap_or_default()
    }

    /// The first peer, which is ours, in relation to the best of the others.
    pub(crate) fn ratio(&self) -> Option<f64> {
        if !self.is_whole() {
            return None;
        }
        Better::ratio(self.summaries.first()?.as_ref()?.median, self.best_of_others()?)
    }

    fn medians(&self) -> impl Iterator<Item = f64> {
        self.summaries.iter().flatten().map(|it| it.median)
    }
}

/// The sections in the order in which the offerers occur, their rows in the order of the quantities.
pub(crate) fn sections(results: &Results) -> Vec<Section> {
    let mut offerers: Vec<&str> = Vec::new();
    for record in &results.records {
        if !offerers.contains(&record.offerer.as_str()) {
            offerers.push(&record.offerer);
        }
    }
    let section = |offerer: &str| Section { offerer: offerer.to_owned(), rows: rows(results, offerer) };
    offerers.into_iter().map(section).filter(|section| !section.rows.is_empty()).collect()
}

/// The row of a quantity, by what it is called and its number.
pub(crate) fn find<'a>(
    sections: &'a [Section],
    offerer: &str,
    measure: &str,
    figure: &str,
    number: u32,
) -> Option<&'a Row> {
    let section = sections.iter().find(|section| section.offerer == offerer)?;
    section.rows.iter().find(|row| {
        let quantity = row.quantity;
        quantity.measure.to_string() == measure && quantity.figure == figure && row.number == number
    })
}

fn rows(results: &Results, offerer: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for quantity in ALL {
        let measure = quantity.measure.to_string();
        let records: Vec<_> = results
            .records
            .iter()
            .filter(|it| it.offerer == offerer && it.measure == measure && it.failure.is_none())
            .collect();
        let mut numbers: Vec<u32> = records.iter().map(|it| it.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            let summary = |peer: &str| {
                let of_peer = records.iter().filter(|it| it.peer == peer && it.number == number);
                let figures: Vec<f64> = of_peer
                    .filter_map(|it| it.figures.get(quantity.figure))
                    .map(|it| it * quantity.factor)
                    .collect();
                Summary::of(&figures)
            };
            let summaries: Vec<_> = results.setting.peers.iter().map(|(peer, _)| summary(peer)).collect();
            // Not every offerer tells every figure of a measure.
            if summaries.iter().all(Option::is_none) {
                continue;
            }
            // Who failed when there was time has had its turn.
            let is_untaken = |((peer, _), summary): (&(String, String), &Option<Summary>)| {
                let is_tried = |it: &&Record| {
                    (&it.peer, &*it.offerer, it.number) == (peer, offerer, number) && it.measure == measure
                };
                let mut tried = results.records.iter().filter(is_tried).peekable();
                summary.is_none() && tried.peek().is_some() && tried.all(Record::is_untaken)
            };
            let untaken = results.setting.peers.iter().zip(&summaries).map(is_untaken).collect();
            rows.push(Row { quantity: *quantity, number, summaries, untaken });
        }
    }
    rows
}
