//! A page that makes one connection after another: what they took is given back, counted.

use anyhow::{Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};
use serde::Deserialize;

const STATE: &str = "return document.querySelector('#state').textContent";
const COUNTS: &str = "return counts()";
/// How many connections a click makes, and how many clicks there are after the first.
const ROUND: u32 = 25;
const ROUNDS: u32 = 4;

/// What the package's modules hold.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Counts {
    /// Values of the page.
    values: u32,
    /// Functions and objects that they gave to the page, as far as nobody has taken them back.
    given: u32,
}

#[test]
fn a_hundred_connections_leave_the_modules_as_they_were_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let before = round_after_round(stage).await?;
        // The objects are given back as garbage, as the page may still call those of a session that has ended.
        stage.page.collect_garbage().await?;
        let is_given_back = |now: &Counts| now.given <= before.given;
        stage.page.until_script("the page has given all back", COUNTS, is_given_back).await?;
        Ok(())
    })
}

#[test]
fn a_hundred_connections_leave_the_modules_as_they_were_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| {
        round_after_round(stage).await?;
        Ok(())
    })
}

/// The first round loads the modules, and makes what is made once.
async fn round_after_round(stage: &mut Stage) -> Result<Counts> {
    let site = Site::of("e2e/tests/e2e/many", &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    stage.allow_many_offers()?;
    stage.page.open(&site.page("")).await?;
    round(stage, 1).await?;
    let before: Counts = stage.page.until_script("the modules are there", COUNTS, |_| true).await?;
    for number in 2..=ROUNDS + 1 {
        round(stage, number).await?;
        let is_given_back = |now: &Counts| now.values == before.values;
        stage.page.until_script("the modules hold what they held", COUNTS, is_given_back).await?;
    }
    Ok(before)
}

async fn round(stage: &Stage, number: u32) -> Result<()> {
    let goal = (number * ROUND).to_string();
    stage.page.click("#next").await?;
    let is_there = |state: &String| *state == goal || state.starts_with("failed");
    let shown = stage.page.until_script(&goal, STATE, is_there).await?;
    ensure!(shown == goal, "{shown}");
    Ok(())
}
