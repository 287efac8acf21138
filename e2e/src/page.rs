//! The page as its user sees it: what it shows, and what can be clicked and typed.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use fantoccini::{Client, Locator, key::Key};
use serde::{Deserialize, de::DeserializeOwned};

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// The page in a browser.
#[derive(Debug)]
pub struct Page {
    client: Client,
}

/// What the page shows at one moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// The document's language.
    pub language: String,
    /// The document's text, as far as it is shown.
    pub text: String,
    /// Whether there is a button to start.
    pub can_start: bool,
    /// `idle`, `connecting`, `open`, `closed` or `failed`.
    pub status: Option<String>,
    /// The id of the session.
    pub session: Option<String>,
    /// The eight steps.
    pub steps: Vec<Step>,
    /// What the server tells of its side.
    pub watched: Vec<Watched>,
    /// The chat.
    pub chat: Vec<Message>,
    /// The field to write in.
    pub field: Option<Field>,
    /// What went wrong.
    pub notice: Option<Notice>,
}

/// A step in the list.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// `1` to `8`.
    pub step: String,
    /// `pending`, `active`, `done` or `failed`.
    pub state: String,
    /// Time since the start as an ISO 8601 duration: `PT0.0123S`.
    pub time: Option<String>,
}

/// An event on the server's side.
#[derive(Clone, Debug, Deserialize)]
pub struct Watched {
    /// The step or part of a step that it is shown with: `6a`.
    pub step: String,
    /// What happened: `began`.
    pub event: String,
    /// Time since the start, as with a step.
    pub time: Option<String>,
}

/// An entry of the chat.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    /// `me`, `echo` or `server`.
    pub from: String,
    /// What was said.
    pub text: String,
    /// The round trip of an echo.
    pub rtt: Option<String>,
}

/// The field to write in.
#[derive(Clone, Debug, Deserialize)]
pub struct Field {
    /// Whether nothing can be written.
    pub disabled: bool,
    /// Why nothing can be written.
    pub hint: Option<String>,
    /// What is written.
    pub value: String,
}

/// What went wrong.
#[derive(Clone, Debug, Deserialize)]
pub struct Notice {
    /// `unreachable`, `certificate`, `refused`, `failed`, `lost` or `unsupported`.
    pub kind: String,
    /// What is said about it.
    pub text: String,
}

impl Step {
    /// Seconds since the start.
    pub fn seconds(&self) -> Result<f64> {
        seconds(self.time.as_deref()).with_context(|| format!("in step {}", self.step))
    }
}

impl Watched {
    /// Seconds since the start.
    pub fn seconds(&self) -> Result<f64> {
        seconds(self.time.as_deref()).with_context(|| format!("in step {}", self.step))
    }
}

fn seconds(time: Option<&str>) -> Result<f64> {
    let time = time.context("there is no time")?;
    let seconds = time.strip_prefix("PT").and_then(|rest| rest.strip_suffix('S'));
    seconds
        .and_then(|seconds| seconds.parse().ok())
        .with_context(|| format!("{time} is no duration in seconds"))
}

impl Snapshot {
    /// What was said by one side: `me`, `echo` or `server`.
    pub fn said(&self, from: &str) -> Vec<&str> {
        self.chat.iter().filter(|message| message.from == from).map(|message| &*message.text).collect()
    }

    /// Whether the status is this one.
    pub fn is(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
    }

    /// The kind of what went wrong.
    pub fn notice_kind(&self) -> Option<&str> {
        self.notice.as_ref().map(|notice| &*notice.kind)
    }
}

impl Page {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("cannot open {url}"))
    }

    /// Opens the page and waits until it can be used.
    pub async fn open_ready(&self, url: &str) -> Result<Snapshot> {
        self.open(url).await?;
        self.until("the page is ready", |page| page.can_start && page.is("idle")).await
    }

    /// Loads the page again.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Closes the tab that the page is in, and goes on in another one.
    pub async fn leave(&self) -> Result<()> {
        let next = self.client.new_window(true).await?;
        self.client.close_window().await?;
        Ok(self.client.switch_to_window(next.handle).await?)
    }

    /// Waits until the page shows what is expected.
    pub async fn until(&self, expected: &str, holds: impl Fn(&Snapshot) -> bool) -> Result<Snapshot> {
        self.until_script(expected, include_str!("look.js"), holds).await
    }

    /// Waits until what a script returns is what is expected: for pages other than ours.
    pub async fn until_script<T>(&self, expected: &str, script: &str, holds: impl Fn(&T) -> bool) -> Result<T>
    where
        T: Debug + DeserializeOwned,
    {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.client.execute(script, Vec::new()).await?;
            let shown = serde_json::from_value(shown).context("the page shows something unexpected")?;
            if holds(&shown) {
                return Ok(shown);
            }
            if Instant::now() > deadline {
                bail!("waited {} s until {expected}; the page shows {shown:#?}", PATIENCE.as_secs());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Clicks an element, as soon as there is one.
    pub async fn click(&self, selector: &str) -> Result<()> {
        let element =
            self.client.wait().at_most(PATIENCE).every(LOOK).for_element(Locator::Css(selector)).await;
        let element = element.with_context(|| format!("there is no {selector}"))?;
        element.click().await.with_context(|| format!("cannot click {selector}"))
    }

    /// Clicks start and waits for the open channel.
    pub async fn connect(&self) -> Result<Snapshot> {
        self.click("#start").await?;
        self.until("the channel is open", |page| page.is("open")).await
    }

    /// Writes into the field and sends with Enter.
    pub async fn say(&self, text: &str) -> Result<()> {
        let field = self.client.find(Locator::Css("#message")).await?;
        Ok(field.send_keys(&format!("{text}{}", char::from(Key::Enter))).await?)
    }

    /// From now on, notes each change of a step's state; [`Self::noted_steps`] tells them.
    pub async fn note_steps(&self) -> Result<()> {
        self.client.execute(include_str!("note_steps.js"), Vec::new()).await?;
        Ok(())
    }

    /// The steps that became `done`, in that order.
    pub async fn noted_steps(&self) -> Result<Vec<String>> {
        let noted = self.client.execute("return window.notedSteps", Vec::new()).await?;
        serde_json::from_value(noted).context("no steps were noted")
    }
}
