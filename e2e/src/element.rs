//! `<hola-webrtc>` in a page, as its user sees it.

use anyhow::{Context, Result};
use fantoccini::{
    Locator,
    elements::{Element as Handle, ElementRef},
    key::Key,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{Message, Page, Step};

/// Where `WebDriver` tells an element's reference (<https://www.w3.org/TR/webdriver2/#elements>).
const REFERENCE: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What the element shows at one moment, and what has happened in its page.
#[derive(Clone, Debug, Deserialize)]
pub struct Element {
    /// `idle`, `connecting`, `open`, `silent`, `reconnecting`, `closed` or `failed`.
    pub status: Option<String>,
    /// The id of the session.
    pub session: Option<String>,
    /// The language that it speaks.
    pub language: Option<String>,
    /// Its text, as far as it is shown.
    pub text: String,
    /// The eight steps.
    pub steps: Vec<Step>,
    /// What the steps are called.
    pub titles: Vec<String>,
    /// The real data of the steps, by what can be unfolded.
    pub data: Vec<String>,
    /// The chat.
    pub chat: Vec<Message>,
    /// What went wrong.
    pub notice: Option<String>,
    /// What broke the page's policy.
    pub violations: Vec<String>,
    /// Errors and rejections that nobody caught.
    pub faults: Vec<String>,
}

impl Element {
    /// Whether the status is this one.
    pub fn is(&self, status: &str) -> bool {
        self.status.as_deref() == Some(status)
    }

    /// What was said by one side: `me`, `echo` or `server`.
    pub fn said(&self, from: &str) -> Vec<&str> {
        self.chat.iter().filter(|message| message.from == from).map(|message| &*message.text).collect()
    }
}

impl Page {
    /// Waits until the page's first element shows what is expected.
    pub async fn until_element(&self, expected: &str, holds: impl Fn(&Element) -> bool) -> Result<Element> {
        self.until_script(expected, include_str!("look_element.js"), holds).await
    }

    /// Runs a script and returns what it returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client().execute(script, Vec::new()).await?)
    }

    /// Writes into the element's field and sends with Enter.
    pub async fn say_in_element(&self, text: &str) -> Result<()> {
        let field =
            self.run("return document.querySelector('hola-webrtc').shadowRoot.querySelector('input')");
        let field = field.await?;
        let reference = field[REFERENCE].as_str().context("the element has no field")?.to_owned();
        let field = Handle::from_element_id(self.client().clone(), ElementRef::from(reference));
        Ok(field.send_keys(&format!("{text}{}", char::from(Key::Enter))).await?)
    }

    /// Clicks into the element, where it shows a part of this name.
    pub async fn click_in_element(&self, part: &str) -> Result<()> {
        let host = self.client().find(Locator::Css("hola-webrtc")).await?;
        let root = host.shadow_root().await?;
        let found = root.find(Locator::Css(&format!("[part~={part}]"))).await?;
        found.click().await.with_context(|| format!("cannot click {part}"))
    }
}
