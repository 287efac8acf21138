//! Large transfers, and a channel that outlives its connection, from a page of another origin.

use anyhow::{Context, Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};
use xtask::server::{free_address, reachable};

use crate::teller::Teller;

const FOLDER: &str = "e2e/tests/e2e/talk";
const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";
/// With the echo, each in a page anew.
const CASES: [&str; 11] = [
    "stalled",
    "early",
    "cancelledWithin",
    "unfit",
    "takingNone",
    "endedHere",
    "unwanted",
    "unasked",
    "failedBefore",
    "marked",
    "limitKnown",
];
/// With the tests' own server.
const TOLD: [&str; 2] = ["endedThere", "openedThere"];

#[test]
fn a_page_sends_and_receives_large_data_and_resumes_its_channel_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", talk)
}

#[test]
fn a_page_sends_and_receives_large_data_and_resumes_its_channel_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", talk)
}

#[test]
fn channels_that_talk_end_as_they_should_whoever_ends_them_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", ends)
}

#[test]
fn channels_that_talk_end_as_they_should_whoever_ends_them_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", ends)
}

/// The page does it all, and says when the server has to go and to come back.
async fn talk(stage: &mut Stage) -> Result<()> {
    let site = Site::of(FOLDER, &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    stage.page.open(&site.page("")).await?;
    reach(stage, "server, stop").await?;
    stage.stop_server();
    stage.page.click("#next").await?;
    reach(stage, "server, start").await?;
    stage.start_server()?;
    reach(stage, "done").await
}

async fn ends(stage: &mut Stage) -> Result<()> {
    let site = Site::of(FOLDER, &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    all(stage, &site, &CASES).await?;

    let address = free_address()?;
    let site = Site::of(FOLDER, &format!("http://{}", reachable(address))).await?;
    let _teller = Teller::start(address, &site.origin()).await?;
    all(stage, &site, &TOLD).await
}

async fn all(stage: &Stage, site: &Site, cases: &[&str]) -> Result<()> {
    for case in cases {
        stage.page.open(&site.page(&format!("?{case}"))).await?;
        reach(stage, "done").await.with_context(|| (*case).to_owned())?;
    }
    Ok(())
}

async fn reach(stage: &Stage, goal: &str) -> Result<()> {
    let is_there = |state: &String| state == goal || state.starts_with("failed");
    let shown = stage.page.until_script(goal, STATE, is_there).await?;
    ensure!(shown == goal, "{shown}");
    Ok(())
}
