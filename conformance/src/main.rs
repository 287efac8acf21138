//! Checks whether the server at a URL keeps to the wire profile, and prints what it finds.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use hola_webrtc_conformance::{Fault, Finding, Target, run};
use hola_webrtc_offerer::Trust;
use hyper::header::{HeaderName, HeaderValue};

/// Checks whether a server keeps to the wire profile, docs/profile.md.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask conformance")]
struct Cli {
    /// The server's base URL, such as <https://localhost:8443>, or the one that its offers go to
    url: String,
    /// Take any certificate
    #[arg(long)]
    insecure: bool,
    /// The bearer token that the server asks for
    #[arg(long, value_name = "TOKEN", env = "HOLA_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// A header that the server's program wants to see in offers; repeatable
    #[arg(long = "header", value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// The label of the channel that is opened, where the server's program goes by it
    #[arg(long, value_name = "LABEL", default_value_t = Target::default().label)]
    label: String,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written NAME:VALUE")?;
    let name: HeaderName = name.trim().parse().map_err(|error| format!("{name:?}: {error}"))?;
    let value: HeaderValue = value.trim().parse().map_err(|error| format!("the value of {name}: {error}"))?;
    let value = value.to_str().map_err(|error| format!("the value of {name}: {error}"))?;
    Ok((name.to_string(), value.to_owned()))
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Cli { url, insecure, token, headers, label } = Cli::parse();
    let trust = if insecure { Trust::Anyone } else { Trust::System };
    let findings = run(&Target { url, trust, token, headers, label }, print).await?;

    let count = |is_such: fn(&Finding) -> bool| findings.iter().filter(|finding| is_such(finding)).count();
    let (passed, broken) = (count(|finding| finding.verdict.is_ok()), count(Finding::is_broken));
    println!("\n{passed} passed, {broken} failed, {} not offered", findings.len() - passed - broken);
    // Where nothing could be looked at nothing was found to be right.
    Ok(if broken == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(finding: &Finding) {
    let Finding { check, verdict } = finding;
    let (mark, why) = match verdict {
        Ok(()) => ("passed     ", String::new()),
        Err(Fault::NotOffered(why)) => ("not offered", format!("\n             {why}")),
        Err(Fault::Broken(why)) => ("FAILED     ", format!("\n             {why}")),
    };
    println!("{mark}  {} > {}{why}", check.section, check.name);
}
