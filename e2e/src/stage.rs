//! Where a test takes place: a server of its own and a browser of its own.

use std::{
    env, fs,
    net::SocketAddr,
    panic::{AssertUnwindSafe, resume_unwind},
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result};
use fantoccini::Client;
use futures_util::FutureExt;
use tokio::runtime;
use xtask::{
    project::Project,
    server::{Launch, Server, agent, free_address, reachable},
};

use crate::{Browser, Driven, Page, Setup, Site};

/// Names the server's binary.
const SERVER: &str = "HOLA_WEBRTC_SERVER";
const SERVER_LOG: &str = "server.log";

/// A running server, and a browser that has no page open yet.
#[derive(Debug)]
pub struct Stage {
    /// The browser's page.
    pub page: Page,
    folder: PathBuf,
    launch: Launch,
    listen: SocketAddr,
    server: Option<Server>,
    sites: Vec<Site>,
    browser: Driven,
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

    /// Ends the server without a word to anybody.
    pub fn kill_server(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), Server::kill)
    }

    /// Starts the server again, under the same address.
    pub fn start_server(&mut self) -> Result<()> {
        self.server = Some(self.launch.start()?);
        Ok(())
    }

    /// Starts the server anew, so that pages of another origin may use it too.
    pub fn allow_origin(&mut self, origin: &str) -> Result<()> {
        self.start_with(["--allow-origin", origin])
    }

    /// Starts the server anew, so that offers have to bring this token.
    pub fn ask_for_token(&mut self, token: &str) -> Result<()> {
        self.start_with(["--token", token])
    }

    /// Starts the server anew, so that one address may send any number of offers.
    pub fn allow_many_offers(&mut self) -> Result<()> {
        self.start_with(["--offers-per-second", "0"])
    }

    /// Serves the site until the test is over: its pages may load something later.
    pub fn keep(&mut self, site: Site) {
        self.sites.push(site);
    }

    /// With these arguments besides those it has.
    fn start_with(&mut self, arguments: [&str; 2]) -> Result<()> {
        self.stop_server();
        self.launch = self.launch.clone().arguments(arguments);
        self.start_server()
    }

    /// Ends the browser with all its processes, without a word to anybody. On Linux.
    pub fn kill_browser(&self) -> Result<()> {
        self.browser.kill_browser()
    }

    /// How many sessions live, by the server's figures.
    pub fn sessions(&self) -> Result<u32> {
        let metrics = agent().get(format!("{}metrics", self.url())).call()?.into_body().read_to_string()?;
        let lines = metrics.lines().filter(|line| line.starts_with("hola_webrtc_sessions{"));
        let counts = lines.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<u32>());
        counts.sum::<Result<_, _>>().context("the figures are odd")
    }

    /// What the server has logged so far.
    pub fn log(&self) -> Result<String> {
        let path = self.folder.join(SERVER_LOG);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// Runs a test with a server and with a browser in a language. After a failure a folder in `target/e2e` has the logs, a
/// screenshot and the document; after a success nothing is left.
pub fn in_browser(
    browser: Browser,
    language: &str,
    test: impl AsyncFnOnce(&mut Stage) -> Result<()>,
) -> Result<()> {
    in_browser_as(browser, &Setup::new(language), test)
}

/// The same with a browser that is set up otherwise.
pub fn in_browser_as(
    browser: Browser,
    setup: &Setup,
    test: impl AsyncFnOnce(&mut Stage) -> Result<()>,
) -> Result<()> {
    let folder = fresh_folder(thread::current().name().unwrap_or("test"))?;
    runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(async {
        let (launch, listen) = launch(&folder)?;
        let server = Some(launch.start()?);
        let driven = browser.start(setup, &folder.join("driver.log")).await?;
        let client = driven.client.clone();
        let (page, kept) = (Page::new(client.clone()), folder.clone());
        let mut stage =
            Stage { page, folder: kept, launch, listen, server, sites: Vec::new(), browser: driven };

        let outcome = AssertUnwindSafe(test(&mut stage)).catch_unwind().await;
        if !matches!(outcome, Ok(Ok(()))) {
            keep_what_is_seen(&client, &folder).await;
        }
        // A session that does not close ends with its driver.
        let _ = client.close().await;
        outcome.unwrap_or_else(|panic| resume_unwind(panic))
    })?;
    Ok(fs::remove_dir_all(&folder)?)
}

/// How the server of this test is started: on a free port, with a state folder and a log of its own.
fn launch(folder: &Path) -> Result<(Launch, SocketAddr)> {
    let program = env::var_os(SERVER)
        .with_context(|| format!("{SERVER} does not name the server: run `cargo xtask test --only e2e`"))?;
    let listen = free_address()?;
    let state = folder.join("state").to_string_lossy().into_owned();
    let launch = Launch::new(program, listen).arguments(["--state-dir", &state]).log(folder.join(SERVER_LOG));
    Ok((launch, listen))
}

/// A failed test's screenshot and document.
async fn keep_what_is_seen(client: &Client, folder: &Path) {
    let kept = async {
        fs::write(folder.join("page.png"), client.screenshot().await?)?;
        fs::write(folder.join("page.html"), client.source().await?)?;
        anyhow::Ok(())
    };
    match kept.await {
        Ok(()) => eprintln!("the page when it failed, and the server's log: {}", folder.display()),
        Err(error) => eprintln!("no screenshot: {error:#}"),
    }
}

/// An empty folder for what a test leaves behind.
fn fresh_folder(test: &str) -> Result<PathBuf> {
    let folder = Project::find()?.reports().join(test.replace("::", "-"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
