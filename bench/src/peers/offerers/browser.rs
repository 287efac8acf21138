//! A browser without a window, told what to do by [WebDriver](https://www.w3.org/TR/webdriver2/).

use std::{
    env,
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{Client, ClientBuilder, wd::Capabilities};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use xshell::Shell;
use xtask::{
    browsers::{self, CHROMEDRIVER, CHROMIUM, FIREFOX},
    process::{POLL, Process},
    project::Project,
    server::{agent, free_address, reachable},
    tools::{GECKODRIVER, Toolbox},
};

use super::{Kind, page::Page};

/// How long a driver may take to start.
const START: Duration = Duration::from_mins(1);

/// Does one operation, and tells how it ended.
const CALL: &str = "const [operation, options, done] = arguments;
    window.offerer(operation, options).then((ok) => done({ ok }), (error) => done({ error: String(error) }));";

#[derive(Debug)]
pub(crate) struct Browser {
    client: Client,
    _page: Page,
    _driver: Process,
}

impl Browser {
    pub(super) async fn start(kind: Kind, shell: &Shell, project: &Project, log: &Path) -> Result<Self> {
        let program = if kind == Kind::Firefox {
            browsers::provide(shell, &[&FIREFOX])?;
            Toolbox::open(project)?.provide(shell, &[&GECKODRIVER])?;
            GECKODRIVER.binaries[0]
        } else {
            browsers::provide(shell, &[&CHROMIUM, &CHROMEDRIVER])?;
            CHROMEDRIVER.names[0]
        };
        let address = reachable(free_address()?);
        let log = File::options().create(true).append(true).open(log)?;
        let mut command = Command::new(which(program, &shell.var_os("PATH").unwrap_or_default())?);
        command.arg(format!("--port={}", address.port())).stdout(log.try_clone()?).stderr(log);
        let mut driver = Process::spawn("the browser's driver", command)?;
        let url = format!("http://{address}");
        wait_until_ready(&mut driver, &url).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(kind)?)
            .connect(&url)
            .await
            .with_context(|| format!("{kind} does not start"))?;
        let page = Page::serve().await?;
        client.goto(&page.url()).await?;
        Ok(Self { client, _page: page, _driver: driver })
    }

    pub(super) async fn call(&mut self, operation: &str, arguments: Value) -> Result<Value> {
        let mut reply = self.client.execute_async(CALL, vec![json!(operation), arguments]).await?;
        match reply["error"].as_str() {
            Some(error) => bail!("{error}"),
            None => Ok(reply["ok"].take()),
        }
    }
}

/// The program of this name in the folders of PATH, where the toolbox may have put one more.
fn which(program: &str, path: &OsStr) -> Result<PathBuf> {
    let mut folders = env::split_paths(path);
    folders
        .find_map(|folder| Some(folder.join(program)).filter(|file| file.is_file()))
        .with_context(|| format!("{program} is missing"))
}

/// The server's certificate is its own, and an operation may take minutes.
fn capabilities(kind: Kind) -> Result<Capabilities> {
    let options = match kind {
        Kind::Firefox => ("moz:firefoxOptions", firefox()?),
        _ => ("goog:chromeOptions", chromium()?),
    };
    let mut capabilities = Capabilities::new();
    capabilities.insert("acceptInsecureCerts".to_owned(), json!(true));
    capabilities.insert("timeouts".to_owned(), json!({ "script": 480_000 }));
    capabilities.insert(options.0.to_owned(), options.1);
    Ok(capabilities)
}

/// Without sandbox, because it does not work for root; nothing but the peers is to be reached.
fn chromium() -> Result<Value> {
    Ok(json!({
        "binary": CHROMIUM.find().context("Chromium is missing")?,
        "args": [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }))
}

/// Its clock would be coarse to protect its user.
fn firefox() -> Result<Value> {
    Ok(json!({
        "binary": FIREFOX.find().context("Firefox is missing")?,
        "args": ["-headless"],
        "prefs": {
            "media.peerconnection.ice.loopback": true,
            "privacy.reduceTimerPrecision": false,
        },
    }))
}

async fn wait_until_ready(driver: &mut Process, url: &str) -> Result<()> {
    let agent = agent();
    let deadline = Instant::now() + START;
    while agent.get(format!("{url}/status")).call().is_err() {
        ensure!(driver.ended()?.is_none(), "the browser's driver ended at once");
        ensure!(Instant::now() < deadline, "the browser's driver does not answer");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
