//! What the npm package promises to a page: its channels, streams, errors and traces, and that nothing is left behind.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

use crate::trouble::ends;

const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";
/// What needs no other server than the usual one.
const CASES: [&str; 10] =
    ["messages", "streams", "errors", "refusals", "drains", "two", "traces", "channels", "away", "sentAway"];
/// What the page serves itself.
const STAYING: [&str; 17] = [
    "writers",
    "parted",
    "closing",
    "restarts",
    "forgetting",
    "unwanted",
    "ended",
    "abandoned",
    "cutOff",
    "counted",
    "closedFirst",
    "closedBetween",
    "alone",
    "left",
    "early",
    "healing",
    "unloaded",
];
/// What it is told of the network, and where what decides then is.
const NETWORK: [&str; 8] =
    ["offline", "moving", "stuck", "repeated", "undecided", "undecidedYet", "offlineYet", "nothingToDecide"];
/// What it may choose.
const CHOOSING: [&str; 5] = ["modes", "offers", "late", "moved", "bare"];

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
fn a_session_that_stays_heeds_the_network_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| all(stage, &NETWORK).await)
}

#[test]
fn a_session_that_stays_heeds_the_network_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| all(stage, &NETWORK).await)
}

#[test]
fn what_a_page_chooses_reaches_the_other_side_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| all(stage, &CHOOSING).await)
}

#[test]
fn what_a_page_chooses_reaches_the_other_side_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", async |stage: &mut Stage| all(stage, &CHOOSING).await)
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

#[test]
fn a_server_that_is_gone_without_a_word_counts_as_lost_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", vanished)
}

#[test]
fn a_server_that_is_gone_without_a_word_counts_as_lost_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", vanished)
}

#[test]
fn a_page_that_is_left_or_closed_leaves_no_session_behind_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", left_then_closed)
}

#[test]
fn a_page_that_is_left_or_closed_leaves_no_session_behind_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", left_then_closed)
}

async fn left_then_closed(stage: &mut Stage) -> Result<()> {
    let site = site(stage).await?;
    let first = stays(stage, &site).await?;
    let second = stays(stage, &site).await?;
    ends(stage, &first, Duration::from_secs(2)).await?;
    stage.page.leave().await?;
    // As in `trouble`: the browser may say nothing then.
    ends(stage, &second, Duration::from_secs(10)).await
}

/// The id of a session that the page would keep for ever.
async fn stays(stage: &Stage, site: &Site) -> Result<String> {
    stage.page.open(&site.page("?stays")).await?;
    let is_there = |state: &String| ["open ", "failed"].iter().any(|begin| state.starts_with(begin));
    let shown = stage.page.until_script("it is open", STATE, is_there).await?;
    shown.strip_prefix("open ").map(str::to_owned).context(shown)
}

async fn vanished(stage: &mut Stage) -> Result<()> {
    let site = site(stage).await?;
    stage.page.open(&site.page("?vanished")).await?;
    reach(stage, "server, vanish").await?;
    stage.kill_server()?;
    reach(stage, "done").await
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
    reach(stage, "done").await.with_context(|| case.to_owned())
}

async fn reach(stage: &Stage, goal: &str) -> Result<()> {
    let is_there = |state: &String| state == goal || state.starts_with("failed");
    let shown = stage.page.until_script(goal, STATE, is_there).await?;
    ensure!(shown == goal, "{shown}");
    Ok(())
}
