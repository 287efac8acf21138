//! The server side by side with other libraries: the same work against each, in rounds.

mod allocations;
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
pub(crate) mod sizes;
mod tracer;
mod visits;
mod work;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use clap::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use xshell::Shell;
use xtask::{project::Project, tools::Toolbox};

pub(crate) use self::measure::Measure;
use self::{
    answerer::Answerer,
    measure::{Cell, plan},
    offerers::{Kind, Offerer},
    results::{Journal, Setting},
    roster::{Installed, Peer},
};
use crate::report;

/// What can be asked of `peers`.
#[derive(Args, Clone, Debug, Default, PartialEq)]
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
    /// Go on where an earlier run was interrupted, and try again what failed
    #[arg(long)]
    resume: bool,
    /// Take nothing more once so many minutes are over, and write the report of what there is
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<u64>,
}

/// Installs, measures, and writes the report.
pub(crate) async fn run(server: &Path, options: &Peers) -> Result<()> {
    let begun = Instant::now();
    // A crowd has a socket for each connection, here and in the peers, to whom the limit is handed down.
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    let project = Project::find()?;
    let mut stage = Stage::set(project, server, options).await?;
    stage.end = options.minutes.map(|minutes| begun + Duration::from_mins(minutes));
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
    /// When nothing more is to be taken.
    end: Option<Instant>,
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
        let whole = !options.quick && plan.len() == everything && options.only.is_empty();
        let needs_package = plan.iter().any(|cell| cell.measure == Measure::Overhead);
        let sizes = if needs_package { sizes::weigh(&shell, &project) } else { Ok(Vec::new()) };
        let sizes = sizes.unwrap_or_else(|error| {
            eprintln!("The client is left out: {error:#}");
            absent.push(("the client".to_owned(), format!("{error:#}")));
            Vec::new()
        });
        let setting = Setting {
            machine: machine::describe(&shell),
            peers: peers.iter().map(|(peer, it)| (peer.name().to_owned(), it.version.clone())).collect(),
            absent,
            quick: options.quick,
            whole,
            rounds,
            sizes,
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
            end: None,
        })
    }
}

/// Without a choice everything is.
fn is_asked_for<T: PartialEq>(choice: &[T], one: &T) -> bool {
    choice.is_empty() || choice.contains(one)
}
