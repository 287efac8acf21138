//! Channels in a worker: transferred where the browser can, by their streams, and told where it cannot.

use anyhow::{Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";

#[test]
fn a_worker_talks_over_a_channel_of_its_own_in_chromium() -> Result<()> {
    // It has learned to transfer channels.
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| talk(stage, "?transfers").await)
}

#[test]
fn a_worker_talks_over_a_channel_of_its_own_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| talk(stage, "").await)
}

async fn talk(stage: &mut Stage, query: &str) -> Result<()> {
    let site = Site::of("e2e/tests/e2e/worker", &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    stage.page.open(&site.page(query)).await?;
    let is_over = |state: &String| state == "done" || state.starts_with("failed");
    let shown = stage.page.until_script("the worker has talked", STATE, is_over).await?;
    ensure!(shown == "done", "{shown}");
    Ok(())
}
