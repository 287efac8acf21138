//! Measures the server, which runs in a process of its own, alone and side by side with others, and prints the figures as
//! Markdown.

#![allow(clippy::cast_precision_loss, reason = "counts and times become figures with three digits")]

mod drain;
mod fleet;
mod flood;
mod idle;
mod load;
mod overhead;
mod peers;
mod proc;
mod report;
mod server;
mod table;
mod traffic;

use std::path::PathBuf;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};
use tokio::runtime::{Builder, Runtime};
use xtask::project::Project;

/// Measures the server from outside. Without a command: side by side with other libraries, as `peers`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", disable_help_subcommand = true)]
struct Cli {
    /// The server's binary
    #[arg(long, value_name = "FILE", env = "HOLA_WEBRTC_SERVER")]
    server: PathBuf,
    /// How many threads make the load
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    threads: usize,
    /// One more argument for the server (repeatable)
    #[arg(long = "with", value_name = "ARGUMENT", allow_hyphen_values = true)]
    arguments: Vec<String>,
    #[command(flatten)]
    peers: peers::Peers,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Memory of connections that do nothing, in waves
    Idle(idle::Idle),
    /// Many connections that send a little all the time
    Load(load::Load),
    /// The server is told to stop under that load
    Drain(drain::Drain),
    /// Offers that never connect
    Flood(flood::Flood),
    /// The client in a page against JavaScript by hand
    Overhead(overhead::Overhead),
    /// The server side by side with other libraries, by several offerers
    Peers(peers::Peers),
    /// The report of a whole run anew, from its raw results
    Report,
}

impl Cli {
    /// What is to be measured. The options of `peers` alone are for no other command.
    fn what(&mut self) -> Result<What, clap::Error> {
        let peers = std::mem::take(&mut self.peers);
        match self.what.take() {
            None => Ok(What::Peers(peers)),
            Some(what) if peers == peers::Peers::default() => Ok(what),
            Some(_) => {
                let message = "the options of `peers` come after its name, and no other command has them";
                Err(Self::command().error(ErrorKind::ArgumentConflict, message))
            }
        }
    }
}

/// Renders what the last whole run has measured.
fn report() -> Result<()> {
    let project = Project::find()?;
    report::write(&project, &report::folder(&project, true))
}

fn runtime(threads: usize) -> Result<Runtime> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    Ok(builder.worker_threads(threads.max(1)).enable_all().build()?)
}

fn main() -> Result<()> {
    let mut cli = Cli::parse();
    let what = cli.what().unwrap_or_else(|error| error.exit());
    let launch = server::Launch { program: cli.server, arguments: cli.arguments };
    let runtime = runtime(cli.threads)?;
    match what {
        What::Idle(idle) => runtime.block_on(idle::run(&launch, &idle)),
        What::Load(load) => runtime.block_on(load::run(&launch, &load)),
        What::Drain(drain) => runtime.block_on(drain::run(&launch, &drain)),
        What::Flood(flood) => runtime.block_on(flood::run(&launch, &flood)),
        What::Peers(peers) => runtime.block_on(peers::run(&launch.program, &peers)),
        What::Overhead(overhead) => overhead::run(&overhead),
        What::Report => report(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(arguments: &[&str]) -> Result<What, clap::Error> {
        Cli::try_parse_from([&["bench", "--server=s"], arguments].concat())?.what()
    }

    #[test]
    fn without_a_command_the_server_is_measured_side_by_side_with_others() {
        let peers = |arguments: &[&str]| match what(arguments) {
            Ok(What::Peers(peers)) => peers,
            other => panic!("{arguments:?} is {other:?}"),
        };
        assert_eq!(peers(&[]), peers(&["peers"]));
        assert_eq!(peers(&["--quick", "--rounds=2"]), peers(&["peers", "--quick", "--rounds=2"]));
        assert_ne!(peers(&["--quick"]), peers(&[]));
        assert!(matches!(what(&["--threads=2", "load"]), Ok(What::Load(_))));
    }

    #[test]
    fn what_only_one_command_has_is_not_passed_over() {
        let refused = what(&["--quick", "load"]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ArgumentConflict);
    }
}
