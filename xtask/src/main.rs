//! The project's commands: `cargo xtask --help`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{package, project::Project, serve, test};

/// The commands of hola-webrtc. Each installs what it misses.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server and the page, and rebuild the page as its files change.
    Serve(serve::Serve),
    /// Run every check and every test.
    Test(test::Test),
    /// Build the client as an npm package, into client/pkg.
    Package,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let project = Project::find()?;
    match &cli.command {
        Command::Serve(serve) => serve::run(&project, serve).map(|()| ExitCode::SUCCESS),
        Command::Test(test) => test::run(&project, test),
        Command::Package => package::run(&project).map(|()| ExitCode::SUCCESS),
    }
}
