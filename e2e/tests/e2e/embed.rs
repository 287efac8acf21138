//! The client as an npm package, in pages of another origin: as it is, and through bundlers.

use anyhow::Result;
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

/// What the page's one line of state says, and what its list shows.
const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";
const LOG: &str = "return [...document.querySelectorAll('#log li')].map((item) => item.textContent)";
/// What broke the page's policy, and errors that nobody caught.
const TROUBLE: &str = "return [...window.violations, ...window.faults]";

#[test]
fn a_plain_page_of_an_allowed_origin_connects_and_hears_its_echo_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::plain(&stage.url()).await?;
        converse(stage, &site, "by_hand.html").await
    })
}

#[test]
fn a_plain_page_of_an_allowed_origin_connects_and_hears_its_echo_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| {
        let site = Site::plain(&stage.url()).await?;
        converse(stage, &site, "by_hand.html").await
    })
}

#[test]
fn streams_in_a_page_built_by_vite_carry_an_echo_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::bundled("vite", &stage.url()).await?;
        converse(stage, &site, "").await
    })
}

#[test]
fn streams_in_a_page_built_by_vite_carry_an_echo_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| {
        let site = Site::bundled("vite", &stage.url()).await?;
        converse(stage, &site, "").await
    })
}

#[test]
fn a_page_of_an_origin_that_is_not_allowed_does_not_connect() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::plain(&stage.url()).await?;
        stage.page.open(&site.page("by_hand.html")).await?;
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

#[test]
fn typed_errors_tell_where_a_server_that_is_down_was_missed() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::bundled("vite", &stage.url()).await?;
        stage.stop_server();
        stage.page.open(&site.page("")).await?;
        let told = |state: &String| state.starts_with("signalling, step 5: ") && state.contains("Try again");
        stage.page.until_script("the failure is told with its step", STATE, told).await?;
        Ok(())
    })
}

/// A page that says `open`, shows what it hears, and sends what is written. Its policy is kept to.
async fn converse(stage: &mut Stage, site: &Site, page: &str) -> Result<()> {
    stage.allow_origin(&site.origin())?;
    stage.page.open(&site.page(page)).await?;
    stage.page.until_script("the page is connected", STATE, |state: &String| state == "open").await?;
    stage.page.until_script("the server greets", LOG, |log: &Vec<String>| log.len() == 1).await?;
    stage.page.say("hello").await?;
    let log = stage.page.until_script("the echo is there", LOG, |log: &Vec<String>| log.len() == 2).await?;
    assert_eq!(log[1], "hello");
    stage.page.until_script("nothing went wrong", TROUBLE, Vec::<String>::is_empty).await?;
    Ok(())
}
