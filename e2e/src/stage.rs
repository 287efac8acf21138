//! Where a test takes place: a server of its own and a browser of its own.

use std::{
    env, fs,
    net::SocketAddr,
    panic::{AssertUnwindSafe, resume_unwind},
    path::PathBuf,
    sync::OnceLock,
    thread,
};

use anyhow::{Context, Result, anyhow};
use fantoccini::Client;
use futures_util::FutureExt;
use tokio::runtime;
use xtask::{
    project::Project,
    server::{Launch, Server, free_address, reachable},
};

use crate::{Browser, Page};

/// Names the server's binary.
const SERVER: &str = "HOLA_WEBRTC_SERVER";

/// A running server, and a browser that has no page open yet.
#[derive(Debug)]
pub struct Stage {
    /// The browser's page.
    pub page: Page,
    name: String,
    launch: Launch,
    listen: SocketAddr,
    server: Option<Server>,
}

impl Stage {
    /// The address of the page, as the server serves it.
    pub fn url(&self) -> String {
        format!("https://{}/", reachable(self.listen))
    }

    /// Ends the server as a service manager would.
    pub fn stop_server(&mut self) {
        self.server = None;
    }

    /// Starts the server again, under the same address.
    pub fn start_server(&mut self) -> Result<()> {
        self.server = Some(self.launch.start()?);
        Ok(())
    }

    /// Starts the server anew, so that pages of another origin may use it too.
    pub fn allow_origin(&mut self, origin: &str) -> Result<()> {
        self.stop_server();
        self.launch = self.launch.clone().arguments(["--allow-origin", origin]);
        self.start_server()
    }

    /// What the server has logged so far.
    pub fn log(&self) -> Result<String> {
        let path = report(&self.name, "server.log")?;
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// Runs a test with a server and with a browser in a language. What it leaves behind in a failure stands in `target/e2e`.
pub fn in_browser(
    browser: Browser,
    language: &str,
    test: impl AsyncFnOnce(&mut Stage) -> Result<()>,
) -> Result<()> {
    let name = thread::current().name().unwrap_or("test").replace("::", "-");
    runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(async {
        let (launch, listen) = launch(&name)?;
        let server = Some(launch.start()?);
        let driven = browser.start(language, &report(&name, "driver.log")?).await?;
        let client = driven.client.clone();
        let mut stage = Stage { page: Page::new(client.clone()), name: name.clone(), launch, listen, server };

        let outcome = AssertUnwindSafe(test(&mut stage)).catch_unwind().await;
        if !matches!(outcome, Ok(Ok(()))) {
            keep_what_is_seen(&client, &name).await;
        }
        // A session that does not close ends with its driver.
        let _ = client.close().await;
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// How the server of this test is started: on a free port, with a state folder and a log of its own.
fn launch(name: &str) -> Result<(Launch, SocketAddr)> {
    let program = env::var_os(SERVER)
        .with_context(|| format!("{SERVER} does not name the server: run `cargo xtask test --only e2e`"))?;
    let listen = free_address()?;
    let state = report(name, "state")?;
    let arguments = ["--state-dir".to_owned(), state.to_string_lossy().into_owned()];
    let launch = Launch::new(program, listen).arguments(arguments).log(report(name, "server.log")?);
    Ok((launch, listen))
}

/// A failed test's screenshot and document.
async fn keep_what_is_seen(client: &Client, name: &str) {
    let kept = async {
        let screenshot = report(name, "page.png")?;
        fs::write(&screenshot, client.screenshot().await?)?;
        fs::write(report(name, "page.html")?, client.source().await?)?;
        anyhow::Ok(screenshot)
    };
    match kept.await {
        Ok(screenshot) => eprintln!("the page when it failed: {}", screenshot.display()),
        Err(error) => eprintln!("no screenshot: {error:#}"),
    }
}

/// The path of something that a test leaves behind.
fn report(name: &str, what: &str) -> Result<PathBuf> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = Project::find().map_err(|error| format!("{error:#}"))?.reports();
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(folder)
    });
    let folder = folder.as_ref().map_err(|error| anyhow!(error.clone()))?;
    Ok(folder.join(format!("{name}-{what}")))
}
