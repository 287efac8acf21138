//! `cargo xtask bench`: a program of the workspace, built for release and run.

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

use crate::{project::Project, server};

/// The profile of whatever is measured, and of what measures it.
const PROFILE: &str = "release";

/// Tells the bench where the server's binary is.
const SERVER_BINARY: &str = "HOLA_WEBRTC_SERVER";

/// What the program is told, unread.
#[derive(Args, Clone, Debug)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// The program's own arguments; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Measures the server.
pub fn bench(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let shell = project.shell()?;
    shell.set_var(SERVER_BINARY, server::build(&shell, project, PROFILE)?);
    run(&shell, project, "hola-webrtc-bench", arguments)
}

fn run(shell: &Shell, project: &Project, package: &str, arguments: &Arguments) -> Result<ExitCode> {
    cmd!(shell, "cargo build --package {package} --profile {PROFILE}").run()?;
    let program = project.target.join(PROFILE).join(package);
    // Not by the shell, which takes every status but 0 for a failure of its own.
    let mut command: Command = cmd!(shell, "{program}").args(&arguments.arguments).into();
    let status = command.status()?;
    Ok(status.code().and_then(|code| code.try_into().ok()).map_or(ExitCode::FAILURE, |code: u8| code.into()))
}
