//! A browser and the driver that obeys [WebDriver](https://www.w3.org/TR/webdriver2/).

use std::{
    env,
    ffi::OsString,
    fs::File,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use fantoccini::{Client, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use xtask::{
    browsers::{CHROMEDRIVER, CHROMIUM, FIREFOX},
    process::{POLL, Process},
    server::{agent, free_address, reachable},
};

use crate::processes;

/// The feature of Chromium that has its offers say how SCTP begins
/// ([SNAP](https://datatracker.ietf.org/doc/draft-hancke-tsvwg-snap/)).
pub const SNAP: &str = "WebRtcSctpSnap";

/// How long a driver may take to start.
const START: Duration = Duration::from_mins(1);

/// Which browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Chromium or Chrome.
    Chromium,
    /// Firefox.
    Firefox,
}

/// What may differ from one use of a browser to the next.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The language that its user reads.
    pub language: String,
    /// How long a script may take.
    pub patience: Duration,
    /// Firefox makes the clock coarse, which protects its user: not where times are measured.
    pub exact_clock: bool,
    /// What is switched on in Chromium that is not by default.
    pub features: Vec<String>,
    /// Where the driver is looked for: folders as in the variable PATH.
    pub path: OsString,
}

impl Setup {
    /// As the `WebDriver` standard has it, with the driver somewhere in PATH.
    pub fn new(language: &str) -> Self {
        Self {
            language: language.to_owned(),
            patience: Duration::from_secs(30),
            exact_clock: false,
            features: Vec::new(),
            path: env::var_os("PATH").unwrap_or_default(),
        }
    }
}

/// A driver with one browser. Dropping it ends both, also when the session was never closed.
#[derive(Debug)]
pub struct Driven {
    /// The session in the browser.
    pub client: Client,
    driver: Process,
}

impl Driven {
    /// Kills the browser, every process of it, and waits until they are gone. On Linux.
    pub fn kill_browser(&self) -> Result<()> {
        ensure!(processes::kill_descendants(self.driver.id())? > 0, "the driver has no browser");
        Ok(())
    }
}

impl Browser {
    /// Starts the browser without a window, with the driver's log in `log`.
    pub async fn start(self, setup: &Setup, log: &Path) -> Result<Driven> {
        let address = reachable(free_address()?);
        let log = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = self.driver(address.port());
        command.env("PATH", &setup.path).stdout(log.try_clone()?).stderr(log);
        let mut driver = Process::spawn("the browser's driver", command)?;
        let url = format!("http://{address}");
        wait_until_ready(&mut driver, &url).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(self.capabilities(setup)?)
            .connect(&url)
            .await
            .with_context(|| format!("{self:?} does not start"))?;
        Ok(Driven { client, driver })
    }

    fn driver(self, port: u16) -> Command {
        let mut command = match self {
            Self::Chromium => Command::new(CHROMEDRIVER.names[0]),
            Self::Firefox => Command::new("geckodriver"),
        };
        command.arg(format!("--port={port}"));
        command
    }

    /// The server's certificate is self-signed: a person would accept it once, here the session does.
    fn capabilities(self, setup: &Setup) -> Result<Capabilities> {
        let options = match self {
            Self::Chromium => ("goog:chromeOptions", chromium(setup)?),
            Self::Firefox => ("moz:firefoxOptions", firefox(setup)?),
        };
        let mut capabilities = Capabilities::new();
        capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
        capabilities.insert("timeouts".to_owned(), json!({ "script": setup.patience.as_millis() }));
        capabilities.insert(options.0.to_owned(), options.1);
        Ok(capabilities)
    }
}

/// Without sandbox, because it does not work for root; quiet, because nothing but loopback is to be reached.
fn chromium(setup: &Setup) -> Result<Value> {
    let mut args = vec![
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--window-size=1280,1000".to_owned(),
        format!("--lang={}", setup.language),
    ];
    if !setup.features.is_empty() {
        args.push(format!("--enable-features={}", setup.features.join(",")));
    }
    Ok(json!({
        "binary": CHROMIUM.find().context("Chromium is missing")?,
        "prefs": { "intl.accept_languages": setup.language },
        "args": args,
    }))
}

/// Firefox gathers no candidates on loopback unless told to.
fn firefox(setup: &Setup) -> Result<Value> {
    Ok(json!({
        "binary": FIREFOX.find().context("Firefox is missing")?,
        "args": ["-headless", "--width=1280", "--height=1000"],
        "prefs": {
            "intl.accept_languages": setup.language,
            "media.peerconnection.ice.loopback": true,
            "privacy.reduceTimerPrecision": !setup.exact_clock,
        },
    }))
}

async fn wait_until_ready(driver: &mut Process, url: &str) -> Result<()> {
    let agent = agent();
    let deadline = Instant::now() + START;
    while agent.get(format!("{url}/status")).call().is_err() {
        let ended = driver.ended()?;
        ensure!(ended.is_none(), "the browser's driver ended at once");
        ensure!(Instant::now() < deadline, "the browser's driver does not answer");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
