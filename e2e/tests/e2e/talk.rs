//! Large transfers, and a channel that outlives its connection, from a page of another origin.

use anyhow::{Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";

#[test]
fn a_page_sends_and_receives_large_data_and_resumes_its_channel_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", talk)
}

#[test]
fn a_page_sends_and_receives_large_data_and_resumes_its_channel_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", talk)
}

/// The page does it all, and says when the server has to go and to come back.
async fn talk(stage: &mut Stage) -> Result<()> {
    let site = Site::of("e2e/tests/e2e/talk", &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    stage.page.open(&site.page("")).await?;
    reach(stage, "server, stop").await?;
    stage.stop_server();
    stage.page.click("#next").await?;
    reach(stage, "server, start").await?;
    stage.start_server()?;
    reach(stage, "done").await
}

async fn reach(stage: &Stage, goal: &str) -> Result<()> {
    let is_there = |state: &String| state == goal || state.starts_with("failed");
    let shown = stage.page.until_script(goal, STATE, is_there).await?;
    ensure!(shown == goal, "{shown}");
    Ok(())
}
