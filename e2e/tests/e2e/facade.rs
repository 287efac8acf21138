//! What the npm package promises to a page: its channels, streams, errors and traces, and that nothing is left behind.

use anyhow::{Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";
/// What needs no other server than the usual one.
const CASES: [&str; 9] =
    ["messages", "streams", "errors", "refusals", "two", "traces", "channels", "away", "sentAway"];
/// What the page serves itself.
const STAYING: [&str; 3] = ["writers", "closing", "restarts"];

#[test]
fn the_package_keeps_its_promises_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| all(stage, &CASES).await)
}

#[test]
fn the_package_keeps_its_promises_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| all(stage, &CASES).await)
}

#[test]
fn a_session_goes_on_over_the_next_connection_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| all(stage, &STAYING).await)
}

#[test]
fn a_session_goes_on_over_the_next_connection_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| all(stage, &STAYING).await)
}

#[test]
fn a_page_that_gives_up_leaves_nothing_behind_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| all(stage, &["aborts"]).await)
}

#[test]
fn a_page_that_gives_up_leaves_nothing_behind_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| all(stage, &["aborts"]).await)
}

#[test]
fn errors_tell_a_server_that_refuses_from_one_that_is_down_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", refused_then_down)
}

#[test]
fn errors_tell_a_server_that_refuses_from_one_that_is_down_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", refused_then_down)
}

async fn all(stage: &mut Stage, cases: &[&str]) -> Result<()> {
    let site = site(stage).await?;
    for case in cases {
        holds(stage, &site, case).await?;
    }
    Ok(())
}

async fn refused_then_down(stage: &mut Stage) -> Result<()> {
    let site = site(stage).await?;
    stage.ask_for_token("open-sesame")?;
    holds(stage, &site, "token").await?;
    stage.stop_server();
    holds(stage, &site, "unreachable").await
}

async fn site(stage: &mut Stage) -> Result<Site> {
    let site = Site::of("e2e/tests/e2e/facade", &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    Ok(site)
}

/// Each case has the page anew.
async fn holds(stage: &Stage, site: &Site, case: &str) -> Result<()> {
    stage.page.open(&site.page(&format!("?{case}"))).await?;
    let is_over = |state: &String| state == "done" || state.starts_with("failed");
    let shown = stage.page.until_script(&format!("{case} is done"), STATE, is_over).await?;
    ensure!(shown == "done", "{case}: {shown}");
    Ok(())
}
