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
use clap::{Parser, Subcommand};
use tokio::runtime::Builder;
use xtask::project::Project;

/// Measures the server from outside.
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
    #[command(subcommand)]
    what: What,
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

/// Renders what the last whole run has measured.
fn report() -> Result<()> {
    let project = Project::find()?;
    report::write(&project, &report::folder(&project, true))
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    if let What::Overhead(overhead) = cli.what {
        return overhead::run(&overhead);
    }
    let launch = server::Launch { program: cli.server, arguments: cli.arguments };
    let mut runtime = match cli.threads {
        0 | 1 => Builder::new_current_thread(),
        threads => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    runtime.enable_all().build()?.block_on(async {
        match cli.what {
            What::Idle(idle) => idle::run(&launch, &idle).await,
            What::Load(load) => load::run(&launch, &load).await,
            What::Drain(drain) => drain::run(&launch, &drain).await,
            What::Flood(flood) => flood::run(&launch, &flood).await,
            What::Peers(peers) => peers::run(&launch.program, &peers).await,
            What::Report => report(),
            What::Overhead(_) => Ok(()),
        }
    })
}
