//! The server side by side with other libraries: the same work against each, in rounds.

mod answerer;
mod figures;
mod link;
mod machine;
mod measure;
mod offerers;
mod progress;
mod relay;
pub(crate) mod results;
mod roster;
mod tracer;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use xshell::Shell;
use xtask::{project::Project, tools::Toolbox};

pub(crate) use self::measure::Measure;
use self::{
    answerer::Answerer,
    figures::Figures,
    measure::{Cell, Scale, plan},
    offerers::{Kind, Offerer},
    progress::Progress,
    results::{Journal, Record, Setting},
    roster::{Installed, Peer},
};
use crate::report;

/// What is only our library, for measures that need another handler than the program's.
const LIBRARY: &str = "hola-webrtc-library";

/// How often a measurement is tried, and how many fail before a peer counts as out of an offerer's reach.
const TRIES: u32 = 2;

/// What can be asked of `peers`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Peers {
    /// A few measures in one round, in less than three minutes
    #[arg(long)]
    quick: bool,
    /// How often everything is measured [default: 3, or 1 if it is to be quick]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// These peers alone
    #[arg(long, value_name = "PEER", value_delimiter = ',', num_args = 1..)]
    only: Vec<Peer>,
    /// These measures alone
    #[arg(long, value_name = "MEASURE", value_delimiter = ',', num_args = 1..)]
    measures: Vec<Measure>,
    /// These offerers alone
    #[arg(long, value_name = "OFFERER", value_delimiter = ',', num_args = 1..)]
    offerers: Vec<Kind>,
    /// Go on where an earlier run was interrupted
    #[arg(long)]
    resume: bool,
}

/// Installs, measures, and writes the report.
pub(crate) async fn run(server: &Path, options: &Peers) -> Result<()> {
    let project = Project::find()?;
    let mut stage = Stage::set(project, server, options).await?;
    stage.measure(options).await?;
    report::write(&stage.project, &stage.folder)
}

/// Where everything takes place.
struct Stage {
    project: Project,
    shell: Shell,
    cache: PathBuf,
    logs: PathBuf,
    /// Where the report goes.
    folder: PathBuf,
    peers: Vec<(Peer, Installed)>,
    offerers: BTreeMap<Kind, Offerer>,
    journal: Journal,
    plan: Vec<Cell>,
    rounds: u32,
}

impl Stage {
    /// Installs what was asked for. What cannot be installed is left out.
    async fn set(project: Project, server: &Path, options: &Peers) -> Result<Self> {
        let shell = project.shell()?;
        let cache = Toolbox::open(&project)?.cache().to_owned();
        let logs = project.target.join("bench");
        fs::create_dir_all(&logs)?;
        let (mut peers, mut absent) = (Vec::new(), Vec::new());
        for peer in Peer::ALL.into_iter().filter(|peer| is_asked_for(&options.only, peer)) {
            eprintln!("Looking for {peer}");
            let tried = async {
                let installed = peer.install(&shell, &project, &cache, server)?;
                Answerer::start(&installed, &logs.join(format!("{peer}.log"))).await?;
                anyhow::Ok(installed)
            };
            match tried.await {
                Ok(installed) => peers.push((peer, installed)),
                Err(error) => {
                    eprintln!("{peer} is left out: {error:#}");
                    absent.push((peer.name().to_owned(), format!("{error:#}")));
                }
            }
        }
        ensure!(!peers.is_empty(), "there is nobody to measure");
        // What is chosen is taken from the whole plan, also if there is to be little of it.
        let is_chosen = !options.measures.is_empty() || !options.offerers.is_empty();
        let mut plan = plan(options.quick && !is_chosen);
        let everything = plan.len();
        plan.retain(|cell| {
            is_asked_for(&options.measures, &cell.measure) && is_asked_for(&options.offerers, &cell.offerer)
        });
        let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 3 });
        let setting = Setting {
            machine: machine::describe(&shell),
            peers: peers.iter().map(|(peer, it)| (peer.name().to_owned(), it.version.clone())).collect(),
            absent,
            quick: options.quick,
            whole: !options.quick && plan.len() == everything && options.only.is_empty(),
            rounds,
        };
        let folder = report::folder(&project, setting.whole);
        fs::create_dir_all(&folder)?;
        let path = report::raw(&folder);
        let journal =
            if options.resume { Journal::resume(&path, &setting)? } else { Journal::begin(&path, &setting)? };
        Ok(Self {
            project,
            shell,
            cache,
            logs,
            folder,
            peers,
            offerers: BTreeMap::new(),
            journal,
            plan,
            rounds,
        })
    }

    /// Every round visits every peer with every measure, each time beginning with another peer.
    async fn measure(&mut self, options: &Peers) -> Result<()> {
        let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
        let mut work = Vec::new();
        for round in 1..=self.rounds {
            for (index, cell) in self.plan.iter().enumerate().filter(|(_, cell)| cell.is_for(round)) {
                let first = index + round as usize;
                let order = (0..self.peers.len()).map(|step| (first + step) % self.peers.len());
                work.extend(order.map(|peer| (round, *cell, peer)));
            }
        }
        work.retain(|(round, cell, peer)| !self.journal.has(&self.record(*round, *cell, *peer)));
        let mut progress = Progress::begin(work.len());
        let (mut reached, mut failures) = (BTreeSet::new(), BTreeMap::new());
        for (round, cell, peer) in work {
            progress.announce(round, self.rounds, &format!("{cell}: {}", self.peers[peer].0));
            let mut record = self.record(round, cell, peer);
            let pair = (cell.offerer, peer);
            let is_hopeless = !reached.contains(&pair) && failures.get(&pair) == Some(&TRIES);
            if is_hopeless {
                record.failure = Some("not tried: this offerer has not reached it once".to_owned());
            }
            for _ in 0..if is_hopeless { 0 } else { TRIES } {
                match self.take(cell, peer, &scale).await {
                    Ok(figures) => {
                        (record.figures, record.failure) = (figures, None);
                        break;
                    }
                    Err(error) => {
                        // It may be in any state.
                        self.offerers.remove(&cell.offerer);
                        record.failure = Some(format!("{error:#}"));
                    }
                }
            }
            if record.failure.is_none() {
                reached.insert(pair);
            } else if !is_hopeless {
                *failures.entry(pair).or_default() += 1;
            }
            progress.done(&record);
            self.journal.add(&record)?;
        }
        Ok(())
    }

    /// One measurement, of an answerer that has done nothing yet.
    async fn take(&mut self, cell: Cell, peer: usize, scale: &Scale) -> Result<Figures> {
        let (peer, installed) = &self.peers[peer];
        let library = Installed { program: env::current_exe()?.with_file_name(LIBRARY), ..installed.clone() };
        let needs_library = *peer == Peer::Hola && matches!(cell.measure, Measure::Up | Measure::Down);
        let installed = if needs_library { &library } else { installed };
        let answerer = Answerer::start(installed, &self.logs.join(format!("{peer}.log"))).await?;
        if !self.offerers.contains_key(&cell.offerer) {
            let started = cell.offerer.start(&self.shell, &self.project, &self.cache, &self.logs).await?;
            self.offerers.insert(cell.offerer, started);
        }
        let offerer = self.offerers.get_mut(&cell.offerer).context("no offerer")?;
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

/// Without a choice everything is.
fn is_asked_for<T: PartialEq>(choice: &[T], one: &T) -> bool {
    choice.is_empty() || choice.contains(one)
}
