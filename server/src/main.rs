//! The hola-webrtc server: HTTPS signalling, the page, and every peer's WebRTC on one port number.

mod certificate;
mod cli;
mod host;
mod https;
mod page;
mod startup;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match startup::run(&cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
