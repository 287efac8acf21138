//! The project's commands: `cargo xtask --help`.

use std::{
    env,
    os::unix::process::CommandExt,
    process::{self, ExitCode},
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xtask::{package, programs, project::Project, serve, test};

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
    /// Measure the server side by side with others, or alone: memory, load, stop, flood; and the client in a page: overhead.
    Bench(programs::Arguments),
    /// Look whether the server at a URL keeps to the wire profile.
    Conformance(programs::Arguments),
    /// Build the client as an npm package, into client/pkg.
    Package,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match leave_cargo().and_then(|()| run(&cli)) {
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
        Command::Bench(arguments) => programs::bench(&project, arguments),
        Command::Conformance(arguments) => programs::conformance(&project, arguments),
        Command::Package => package::run(&project).map(|()| ExitCode::SUCCESS),
    }
}

/// Starts this program anew without the variables that `cargo run` has set for it. Build scripts look at some of them, so
/// that every command of ours would compile anew what one typed by hand has compiled, and the other way round.
fn leave_cargo() -> Result<()> {
    let is_of_this_package =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    let variables: Vec<String> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| is_of_this_package(name))
        .collect();
    if variables.is_empty() {
        return Ok(());
    }
    let mut command = process::Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1));
    for name in &variables {
        command.env_remove(name);
    }
    Err(command.exec()).context("cannot start anew")
}
