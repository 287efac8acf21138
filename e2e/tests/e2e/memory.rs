//! What a page's memory does while much more than it goes through the page.

use std::{
    env,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};

/// How many MiB go there and come back, if not [`USUALLY`]. To see a gibibyte, after `cargo xtask test --only build`:
///
/// `HOLA_WEBRTC_TRANSFER=1024 HOLA_WEBRTC_SERVER=target/debug/hola-webrtc cargo test -p hola-webrtc-e2e memory -- --nocapture`
const SIZE: &str = "HOLA_WEBRTC_TRANSFER";
const USUALLY: &str = "64";

/// By how many bytes the page's memory may grow, however much is sent: the heap with its garbage, buffers, modules.
const GROWTH: f64 = (40 << 20) as f64;
/// The same without garbage, which is collected so many times: what is on its way, and in the page's hands.
const HELD: f64 = (16 << 20) as f64;
const COLLECTIONS: u32 = 8;

const MIB: f64 = (1 << 20) as f64;
/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

#[test]
fn a_transfer_larger_than_the_pages_memory_keeps_it_flat() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| there_and_back(stage, false).await)
}

#[test]
fn a_transfer_larger_than_the_pages_memory_leaves_little_of_it_in_use() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| there_and_back(stage, true).await)
}

async fn there_and_back(stage: &mut Stage, collects: bool) -> Result<()> {
    let amount = env::var(SIZE).unwrap_or_else(|_| USUALLY.to_owned());
    let step = f64::from(amount.parse::<u32>()?) / f64::from(COLLECTIONS);
    let site = Site::of("e2e/tests/e2e/memory", &stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    stage.page.open(&site.page(&format!("?{amount}"))).await?;
    until_ready(stage).await?;
    stage.page.collect_garbage().await?;
    let before = memory(stage).await?;

    let began = Instant::now();
    stage.page.click("#next").await?;
    let (mut last, mut moved, mut highest) = (String::new(), began, before);
    let (mut held, mut next) = (before, step);
    loop {
        let now = memory(stage).await?;
        if now > highest {
            highest = now;
        }
        let shown = state(stage).await?;
        ensure!(!shown.starts_with("failed"), "{shown}");
        if shown == "done" {
            break;
        }
        if shown != last {
            (last, moved) = (shown, Instant::now());
        }
        if collects && last.parse().is_ok_and(|back: f64| back >= next) {
            next += step;
            stage.page.collect_garbage().await?;
            held = held.max(memory(stage).await?);
        }
        ensure!(moved.elapsed() < PATIENCE, "{last} of {amount} MiB are back, and nothing more comes");
        tokio::time::sleep(LOOK).await;
    }
    let took = began.elapsed().as_secs_f64();
    stage.page.collect_garbage().await?;
    let after = memory(stage).await?;
    let (most, bound, what) = if collects { (held, HELD, "in use") } else { (highest, GROWTH, "held") };
    let [before_mib, most_mib, after_mib] = [before, most, after].map(|bytes| bytes / MIB);
    println!(
        "{amount} MiB there and back in {took:.1} s: {before_mib:.1} MiB before, at most {most_mib:.1} {what}, {after_mib:.1} after"
    );
    ensure!(most - before < bound, "from {before_mib:.1} MiB to {most_mib:.1} {what} for {amount} MiB");
    Ok(())
}

async fn until_ready(stage: &Stage) -> Result<()> {
    let is_ready = |state: &String| state == "ready" || state.starts_with("failed");
    let shown = stage.page.until_script("the channel is open", STATE, is_ready).await?;
    ensure!(shown == "ready", "{shown}");
    Ok(())
}

const STATE: &str = "return document.querySelector('#state')?.textContent ?? ''";

async fn state(stage: &Stage) -> Result<String> {
    let shown = stage.page.run(STATE).await?;
    Ok(shown.as_str().context("the page has no state")?.to_owned())
}

/// All of the page's memory that grows with what it holds.
async fn memory(stage: &Stage) -> Result<f64> {
    let modules = stage.page.run("return moduleBytes()").await?;
    let modules = modules.as_f64().context("the modules' memory is not told")?;
    Ok(modules + stage.page.heap().await?)
}
