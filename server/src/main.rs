//! The hola-webrtc server: HTTPS signalling, the page, and every peer's WebRTC on one port number.

#[cfg(unix)]
mod allocator;
mod certificate;
mod cli;
mod host;
mod https;
mod page;
mod startup;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let Err(error) = startup::run(&cli) else { return ExitCode::SUCCESS };
    match cli.operation.log_format {
        cli::LogFormat::Text => eprintln!("error: {error:#}"),
        cli::LogFormat::Json => tracing::error!("{error:#}"),
    }
    ExitCode::FAILURE
}
