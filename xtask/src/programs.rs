//! `cargo xtask bench` and `cargo xtask conformance`: programs of the workspace, built and run.

use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

use anyhow::Result;
use clap::Args;
use xshell::{Shell, cmd};

use crate::{
    browsers::{self, CHROMEDRIVER, CHROMIUM},
    package,
    project::Project,
    server,
};

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

/// The measure that takes place in a page, with the npm package.
const IN_A_PAGE: &str = "overhead";

/// Measures the server, or the client in a page.
pub fn bench(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    let shell = project.shell()?;
    if arguments.arguments.iter().any(|argument| argument == IN_A_PAGE) {
        browsers::provide(&shell, &[&CHROMIUM, &CHROMEDRIVER])?;
        package::run(project)?;
    }
    shell.set_var(SERVER_BINARY, server::build(&shell, project, PROFILE)?);
    run(&shell, project, "hola-webrtc-bench", PROFILE, arguments)
}

/// Looks whether a server keeps to the wire profile.
pub fn conformance(project: &Project, arguments: &Arguments) -> Result<ExitCode> {
    run(&project.shell()?, project, "hola-webrtc-conformance", "dev", arguments)
}

fn run(
    shell: &Shell,
    project: &Project,
    package: &str,
    profile: &str,
    arguments: &Arguments,
) -> Result<ExitCode> {
    cmd!(shell, "cargo build --quiet --package {package} --profile {profile}").run()?;
    let program = project.program(profile, package);
    // Not by the shell, which takes every status but 0 for a failure of its own.
    let mut command: Command = cmd!(shell, "{program}").args(&arguments.arguments).into();
    let status = command.status()?;
    Ok(status.code().and_then(|code| code.try_into().ok()).map_or(ExitCode::FAILURE, |code: u8| code.into()))
}
