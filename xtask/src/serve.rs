//! `cargo xtask serve`: the server and the page, to use and to work on.

use std::{net::SocketAddr, process::ExitStatus, thread, time::Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    process::{POLL, Process},
    project::Project,
    server::{self, Launch, Server},
    toolchain,
    tools::{TRUNK, Toolbox, WASM_BINDGEN},
    trunk,
};

/// What can be asked of `serve`.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// Address of the server, TCP and UDP.
    #[arg(long, value_name = "ADDRESS", default_value = "[::]:8443")]
    listen: SocketAddr,
    /// Port on which this machine's browser finds the page.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    page_port: u16,
    /// Build the server optimised: slower to build, faster to run.
    #[arg(long)]
    release: bool,
    /// Further arguments, passed to the server as they are.
    #[arg(last = true, value_name = "SERVER ARGUMENTS")]
    server_arguments: Vec<String>,
}

/// Runs until Ctrl-C, or until the server or the page's builder ends.
pub fn run(project: &Project, serve: &Serve) -> Result<()> {
    let begun = Instant::now();
    let page = SocketAddr::from(([127, 0, 0, 1], serve.page_port));
    server::check_port_is_free(serve.listen, "--listen")?;
    server::check_port_is_free(page, "--page-port")?;

    let shell = project.shell()?;
    toolchain::provide_wasm_target(&shell)?;
    Toolbox::open(project)?.provide(&shell, &[&TRUNK, &WASM_BINDGEN])?;

    eprintln!("Building the server: a few minutes the first time, seconds afterwards.");
    let profile = if serve.release { "release" } else { "dev" };
    let program = server::build(&shell, project, profile)?;
    let mut server = Launch::new(program, serve.listen).arguments(serve.server_arguments.clone()).start()?;

    eprintln!("Building the page: a few minutes the first time, seconds afterwards.");
    let command = trunk::serve(&shell, project, serve.page_port, server::reachable(serve.listen))?;
    let mut trunk = Process::spawn("trunk serve", command)?;

    wait_for_page(&mut server, &mut trunk, serve.page_port)?;
    eprintln!();
    eprintln!("  Ready after {} s.", begun.elapsed().as_secs());
    eprintln!("  Open  http://localhost:{}", serve.page_port);
    eprintln!("  Stop  Ctrl-C");
    eprintln!();
    loop {
        check(&mut server, &mut trunk)?;
        thread::sleep(POLL);
    }
}

/// Trunk listens when its first build is done; how long that takes is not ours to limit.
fn wait_for_page(server: &mut Server, trunk: &mut Process, port: u16) -> Result<()> {
    let agent = server::agent();
    let url = format!("http://127.0.0.1:{port}/");
    while agent.get(&url).call().is_err() {
        check(server, trunk)?;
        thread::sleep(POLL);
    }
    Ok(())
}

/// Fails when one of the two has ended; the other ends as it is dropped.
fn check(server: &mut Server, trunk: &mut Process) -> Result<()> {
    for process in [server.process(), trunk] {
        if let Some(status) = process.ended()? {
            bail!("{} ended{}: see above. The other one is stopped.", process.name(), describe(status));
        }
    }
    Ok(())
}

fn describe(status: ExitStatus) -> String {
    if status.success() { " by itself".to_owned() } else { format!(" ({status})") }
}
