//! Who connects: browsers, libraries in Node, and our own native offerer. All take the same operations.

mod browser;
mod native;
mod node;
mod page;

use std::{fmt, path::Path, time::Duration};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::Value;
use tokio::time::timeout;
use xshell::Shell;
use xtask::project::Project;

pub(crate) use self::native::{Crowd, Native};
use self::{browser::Browser, node::Node};

/// What no operation takes longer than.
const PATIENCE: Duration = Duration::from_mins(4);

/// An offerer, in the report's order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub(crate) enum Kind {
    Chromium,
    /// Chromium with offers that say how SCTP begins
    Snap,
    Firefox,
    Libwebrtc,
    Libdatachannel,
    Native,
}

/// A running offerer. It ends when this is dropped.
#[derive(Debug)]
pub(crate) enum Offerer {
    Browser(Box<Browser>),
    Node(Box<Node>),
    Native(Box<Native>),
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Chromium, Self::Snap, Self::Firefox, Self::Libwebrtc, Self::Libdatachannel, Self::Native];

    /// Its name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Snap => "Chromium with SNAP",
            Self::Firefox => "Firefox",
            Self::Libwebrtc => "libwebrtc in Node",
            Self::Libdatachannel => "libdatachannel in Node",
            Self::Native => "native",
        }
    }

    /// Installs what it needs, and starts it. Its log goes into the folder `logs`.
    pub(crate) async fn start(
        self,
        shell: &Shell,
        project: &Project,
        cache: &Path,
        logs: &Path,
    ) -> Result<Offerer> {
        let log = logs.join(format!("offerer-{}.log", self.name().replace(' ', "-")));
        let offerer = match self {
            Self::Chromium | Self::Snap | Self::Firefox => {
                Offerer::Browser(Box::new(Browser::start(self, shell, project, &log).await?))
            }
            Self::Libwebrtc | Self::Libdatachannel => {
                Offerer::Node(Box::new(Node::start(self, shell, project, cache, &log)?))
            }
            Self::Native => Offerer::Native(Box::new(Native::new()?)),
        };
        Ok(offerer)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Offerer {
    /// Does one operation; `bench/offerers/offerer.js` says which there are.
    pub(crate) async fn call(&mut self, operation: &str, arguments: Value) -> Result<Value> {
        let called = async {
            match self {
                Self::Browser(browser) => browser.call(operation, arguments).await,
                Self::Node(node) => node.call(operation, arguments).await,
                Self::Native(native) => native.call(operation, &arguments).await,
            }
        };
        timeout(PATIENCE, called)
            .await
            .context("the offerer does not come back")?
            .with_context(|| operation.to_owned())
    }
}
