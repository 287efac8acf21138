//! The client as an npm package, in a plain page of another origin.

use anyhow::Result;
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

/// What the page's one line of state says, and what its list shows.
const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";
const LOG: &str = "return [...document.querySelectorAll('#log li')].map((item) => item.textContent)";

#[test]
fn a_plain_page_of_an_allowed_origin_connects_and_hears_its_echo() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::start().await?;
        stage.allow_origin(&site.origin())?;
        stage.page.open(&embed(&site, stage)).await?;
        stage.page.until_script("the page is connected", STATE, |state: &String| state == "open").await?;
        stage.page.until_script("the server greets", LOG, |log: &Vec<String>| log.len() == 1).await?;
        stage.page.say("hello").await?;
        let log =
            stage.page.until_script("the echo is there", LOG, |log: &Vec<String>| log.len() == 2).await?;
        assert_eq!(log[1], "hello");
        Ok(())
    })
}

#[test]
fn a_page_of_an_origin_that_is_not_allowed_does_not_connect() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::start().await?;
        stage.page.open(&embed(&site, stage)).await?;
        let state = stage
            .page
            .until_script("the failure is told", STATE, |state: &String| {
                !["", "connecting"].contains(&&**state)
            })
            .await?;
        assert_ne!(state, "open");
        assert!(!stage.log()?.contains("session="), "an offer of a foreign origin made a session");
        Ok(())
    })
}

fn embed(site: &Site, stage: &Stage) -> String {
    format!("{}/?server={}", site.origin(), stage.url())
}
