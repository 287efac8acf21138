//! What `WebDriver` does not tell: Chromium's [own protocol](https://chromedevtools.github.io/devtools-protocol/), by way of
//! its driver.

use anyhow::{Context, Result};
use axum::http::Method;
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::Page;

/// What the memory of a page's JavaScript is made of: its objects, what the browser holds for them, and what is in array buffers
/// and in long texts.
const HEAP: [&str; 3] = ["usedSize", "embedderHeapUsedSize", "backingStorageSize"];

/// A command of that protocol.
#[derive(Debug)]
struct Command {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.name, "params": self.parameters }).to_string()))
    }
}

impl Page {
    /// What the page's heap holds, with what is garbage already, in bytes. In Chromium.
    pub async fn heap(&self) -> Result<f64> {
        let heap = self.devtools("Runtime.getHeapUsage").await?;
        let sizes =
            HEAP.map(|name| heap[name].as_f64().with_context(|| format!("the browser does not tell {name}")));
        sizes.into_iter().sum()
    }

    /// Collects what is garbage. In Chromium.
    pub async fn collect_garbage(&self) -> Result<()> {
        self.devtools("HeapProfiler.collectGarbage").await?;
        Ok(())
    }

    async fn devtools(&self, name: &'static str) -> Result<Value> {
        let command = Command { name, parameters: json!({}) };
        self.client().issue_cmd(command).await.with_context(|| format!("{name} failed"))
    }
}
