//! The hola-webrtc server: HTTPS signalling, the page, and every peer's WebRTC on one port number.

mod certificate;
mod cli;
mod host;
mod https;
mod page;
mod startup;

use std::process::ExitCode;

use clap::Parser;

/// After a wave of sessions the system's allocator keeps most of their memory: what is freed lies scattered among what
/// lives. This one gives it back.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let Err(error) = startup::run(&cli) else { return ExitCode::SUCCESS };
    match cli.operation.log_format {
        cli::LogFormat::Text => eprintln!("error: {error:#}"),
        cli::LogFormat::Json => tracing::error!("{error:#}"),
    }
    ExitCode::FAILURE
}
