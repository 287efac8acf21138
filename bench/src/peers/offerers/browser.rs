//! A browser as an offerer: a page of ours in it does what it is told.

use std::{path::Path, time::Duration};

use anyhow::{Result, bail};
use hola_webrtc_e2e::{Browser as Program, Driven, SNAP, Setup};
use serde_json::{Value, json};
use xshell::Shell;
use xtask::{
    browsers::{self, CHROMEDRIVER, CHROMIUM, FIREFOX},
    project::Project,
    tools::{GECKODRIVER, Toolbox},
};

use super::{Kind, page::Page};

/// How long an operation may take: minutes.
const PATIENCE: Duration = Duration::from_mins(8);

/// Does one operation, and tells how it ended.
const CALL: &str = "const [operation, options, done] = arguments;
    window.offerer(operation, options).then((ok) => done({ ok }), (error) => done({ error: String(error) }));";

#[derive(Debug)]
pub(crate) struct Browser {
    driven: Driven,
    _page: Page,
}

impl Browser {
    pub(super) async fn start(kind: Kind, shell: &Shell, project: &Project, log: &Path) -> Result<Self> {
        let program = if kind == Kind::Firefox {
            browsers::provide(shell, &[&FIREFOX])?;
            Toolbox::open(project)?.provide(shell, &[&GECKODRIVER])?;
            Program::Firefox
        } else {
            browsers::provide(shell, &[&CHROMIUM, &CHROMEDRIVER])?;
            Program::Chromium
        };
        let path = shell.var_os("PATH").unwrap_or_default();
        let features = (kind == Kind::Snap).then(|| SNAP.to_owned()).into_iter().collect();
        let setup = Setup { patience: PATIENCE, exact_clock: true, features, path, ..Setup::new("en") };
        let driven = program.start(&setup, log).await?;
        let page = Page::serve().await?;
        driven.client.goto(&page.url()).await?;
        Ok(Self { driven, _page: page })
    }

    pub(super) async fn call(&mut self, operation: &str, arguments: Value) -> Result<Value> {
        let mut reply = self.driven.client.execute_async(CALL, vec![json!(operation), arguments]).await?;
        match reply["error"].as_str() {
            Some(error) => bail!("{error}"),
            None => Ok(reply["ok"].take()),
        }
    }
}
