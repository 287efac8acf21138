//! The measurements, one after the other: in rounds, and so that no peer that hangs or fails holds up the others.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::time::timeout;

use super::{
    Peers, Stage,
    allocations::Counter,
    answerer::Answerer,
    figures::Figures,
    measure::{Cell, Measure, Scale},
    offerers::{Kind, Offerer},
    progress::Progress,
    results::{NOT_TAKEN, Record},
    roster::{Installed, Peer},
    work,
};

/// What is only our library, for measures that need another handler than the program's.
const LIBRARY: &str = "hola-webrtc-library";

/// How often a measurement is tried.
const TRIES: u32 = 2;

/// What has taken longer than this before it failed is not tried again.
const SHORT: Duration = Duration::from_secs(12);

/// How long the first connection of an offerer to a peer may take. Who does not manage that is not tried further.
const PROBE: Duration = Duration::from_secs(10);

/// What is known so far.
#[derive(Debug, Default)]
struct Known {
    /// Whether an offerer reaches a peer, found out anew in each round: `None`, or why not.
    reach: BTreeMap<(u32, Kind, usize), Option<String>>,
    /// What failed in an earlier round.
    failed: BTreeSet<(Cell, usize)>,
}

impl Stage {
    /// Every round visits every peer with every measure, each time beginning with another peer.
    pub(super) async fn measure(&mut self, options: &Peers) -> Result<()> {
        let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
        let work = self.outstanding();
        let mut progress = Progress::begin(work.len());
        let mut known = Known::default();
        for (round, cell, peer) in work {
            let mut record = self.record(round, cell, peer);
            if self.end.is_some_and(|end| Instant::now() > end) {
                record.failure = Some(NOT_TAKEN.to_owned());
            } else {
                progress.announce(round, self.rounds, &format!("{cell}: {}", self.peers[peer].0));
                match self.visit(round, cell, peer, &scale.of_round(round), &mut known).await {
                    Ok(figures) => record.figures = figures,
                    Err(error) => {
                        known.failed.insert((cell, peer));
                        record.failure = Some(format!("{error:#}"));
                    }
                }
                progress.done(&record);
            }
            self.journal.add(&record)?;
        }
        Ok(())
    }

    /// What there is to do and was not done before.
    fn outstanding(&self) -> Vec<(u32, Cell, usize)> {
        let mut work = Vec::new();
        for round in 1..=self.rounds {
            for (index, cell) in self.plan.iter().enumerate().filter(|(_, cell)| cell.is_for(round)) {
                let first = index + round as usize;
                let order = (0..self.peers.len()).map(|step| (first + step) % self.peers.len());
                let order = order.filter(|peer| cell.is_of(self.peers[*peer].0));
                work.extend(order.map(|peer| (round, *cell, peer)));
            }
        }
        work.retain(|(round, cell, peer)| !self.journal.has(&self.record(*round, *cell, *peer)));
        work
    }

    /// Tries a measurement, a second time if it failed soon and has not failed before.
    async fn visit(
        &mut self,
        round: u32,
        cell: Cell,
        peer: usize,
        scale: &Scale,
        known: &mut Known,
    ) -> Result<Figures> {
        let tries = if known.failed.contains(&(cell, peer)) { 1 } else { TRIES };
        for attempt in 1.. {
            if let Some(Some(reason)) = known.reach.get(&(round, cell.offerer, peer)) {
                bail!("{reason}");
            }
            let begun = Instant::now();
            let taken = timeout(cell.patience(), self.take(round, cell, peer, scale, known)).await;
            let taken = taken.unwrap_or_else(|_| bail!("it did not end within {:?}", cell.patience()));
            if taken.is_err() {
                // It may be in any state.
                self.offerers.remove(&cell.offerer);
                if attempt < tries && begun.elapsed() < SHORT {
                    continue;
                }
            }
            return taken;
        }
        bail!("it was not tried")
    }

    /// One measurement, of an answerer that has done nothing yet.
    async fn take(
        &mut self,
        round: u32,
        cell: Cell,
        peer: usize,
        scale: &Scale,
        known: &mut Known,
    ) -> Result<Figures> {
        let (name, installed) = &self.peers[peer];
        let (installed, counter) = match cell.measure {
            Measure::Allocations => {
                let (installed, counter) = Counter::of(*name, installed, &self.project, &self.logs)?;
                (installed, Some(counter))
            }
            Measure::Up | Measure::Down | Measure::Stream if *name == Peer::Hola => {
                let program = env::current_exe()?.with_file_name(LIBRARY);
                (Installed { program, ..installed.clone() }, None)
            }
            _ => (installed.clone(), None),
        };
        let mut answerer = Answerer::start(&installed, &self.logs.join(format!("{name}.log"))).await?;
        answerer.target.counter = counter;
        if !self.offerers.contains_key(&cell.offerer) {
            let started = cell.offerer.start(&self.shell, &self.project, &self.cache, &self.logs).await?;
            self.offerers.insert(cell.offerer, started);
        }
        let offerer = self.offerers.get_mut(&cell.offerer).context("no offerer")?;
        if let Entry::Vacant(unknown) = known.reach.entry((round, cell.offerer, peer)) {
            let reason = probe(cell.offerer, offerer, &answerer.target.url).await.err();
            let reason = reason.map(|error| format!("{error:#}"));
            if let Some(reason) = unknown.insert(reason) {
                bail!("{reason}");
            }
        }
        work::measure(cell, &answerer.target, offerer, scale).await
    }

    fn record(&self, round: u32, cell: Cell, peer: usize) -> Record {
        Record {
            round,
            peer: self.peers[peer].0.name().to_owned(),
            offerer: cell.offerer.name().to_owned(),
            measure: cell.measure.to_string(),
            number: cell.number,
            figures: Figures::new(),
            failure: None,
        }
    }
}

/// Connects for the first time.
async fn probe(kind: Kind, offerer: &mut Offerer, url: &str) -> Result<()> {
    let order = json!({ "url": url, "deadline": PROBE.as_millis() });
    // The offerer has a deadline of its own, and says more.
    let opened = timeout(PROBE + Duration::from_secs(2), offerer.call("open", order)).await;
    opened
        .unwrap_or_else(|_| bail!("the offerer does not come back"))
        .with_context(|| format!("{kind} does not reach it within {} s", PROBE.as_secs()))?;
    offerer.call("close", json!({})).await?;
    Ok(())
}
