//! A page that negotiates by itself, without the client.

use anyhow::Result;
use hola_webrtc_e2e::{Browser, Stage, in_browser};

const SCRIPT: &str = include_str!("by_hand.js");

#[test]
fn a_page_that_gathers_completely_and_posts_json_is_greeted_and_echoed_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "es", greeted_and_echoed)
}

#[test]
fn a_page_that_gathers_completely_and_posts_json_is_greeted_and_echoed_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "es", greeted_and_echoed)
}

pub(crate) async fn greeted_and_echoed(stage: &mut Stage) -> Result<()> {
    stage.page.open(&format!("{}healthz", stage.url())).await?;
    let heard = stage
        .page
        .until_script("the greeting and the echo are heard", SCRIPT, |heard: &Vec<String>| heard.len() == 2)
        .await?;
    assert!(heard[0].starts_with("¡Hola!"), "{heard:?}");
    assert_eq!(heard[1], "hola");
    Ok(())
}
