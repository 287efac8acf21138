//! What the page says when something goes wrong, and what the server is left with.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hola_webrtc_e2e::{Browser, Stage, in_browser};

#[test]
fn a_server_that_stops_is_told_and_can_be_connected_to_again() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        stage.page.open_ready(&stage.url()).await?;
        stage.page.connect().await?;
        stage.stop_server();
        let told = stage.page.until("the loss is told", |page| page.notice.is_some()).await?;
        assert_eq!(told.notice_kind(), Some("lost"), "{told:#?}");
        assert!(told.field.is_some_and(|field| field.disabled));

        stage.start_server()?;
        let again = stage.page.connect().await?;
        assert!(again.notice.is_none(), "{again:#?}");
        Ok(())
    })
}

#[test]
fn a_server_that_is_down_is_told_at_the_start() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        stage.page.open_ready(&stage.url()).await?;
        stage.stop_server();
        stage.page.click("#start").await?;
        let told = stage.page.until("the failure is told", |page| page.notice.is_some()).await?;
        assert!(matches!(told.notice_kind(), Some("unreachable" | "certificate")), "{told:#?}");
        assert!(told.is("failed"), "{told:#?}");
        assert_eq!(told.steps[4].state, "failed", "the offer could not be sent: {told:#?}");
        Ok(())
    })
}

#[test]
fn a_page_that_is_reloaded_or_closed_leaves_no_session_behind_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", reloaded_then_closed)
}

#[test]
fn a_page_that_is_reloaded_or_closed_leaves_no_session_behind_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", reloaded_then_closed)
}

async fn reloaded_then_closed(stage: &mut Stage) -> Result<()> {
    stage.page.open_ready(&stage.url()).await?;
    let first = stage.page.connect().await?.session.context("the session has an id")?;
    stage.page.reload().await?;
    ends(stage, &first, Duration::from_secs(2)).await?;
    let second = stage.page.connect().await?.session.context("the session has an id")?;
    stage.page.leave().await?;
    // A browser may end the page's process with its tab, and say nothing: the server finds nobody there.
    ends(stage, &second, Duration::from_secs(10)).await
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_chromium_leaves_no_session_behind() -> Result<()> {
    in_browser(Browser::Chromium, "en", killed)
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_firefox_leaves_no_session_behind() -> Result<()> {
    in_browser(Browser::Firefox, "en", killed)
}

/// Nobody says goodbye; the host tells the server that nobody is there any more.
#[cfg(target_os = "linux")]
async fn killed(stage: &mut Stage) -> Result<()> {
    /// What the server promises, and what a busy machine may take longer.
    const PROMISE: Duration = Duration::from_millis(2000 + 500);
    stage.page.open_ready(&stage.url()).await?;
    let session = stage.page.connect().await?.session.context("the session has an id")?;
    ensure!(stage.sessions()? == 1, "one session lives");
    stage.kill_browser()?;
    ends(stage, &session, PROMISE).await?;
    ensure!(stage.sessions()? == 0, "a session is left");
    Ok(())
}

/// The server says that the session has ended.
pub(crate) async fn ends(stage: &Stage, session: &str, patience: Duration) -> Result<()> {
    let deadline = Instant::now() + patience;
    while !session_ended(&stage.log()?, session) {
        ensure!(Instant::now() < deadline, "session {session} still lives {patience:?} after the page went");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn session_ended(log: &str, session: &str) -> bool {
    // The log names sessions by the beginning of their ids.
    log.lines().any(|line| line.contains(&session[..8]) && line.contains("the session ends"))
}
