//! What one comes for: a click, eight steps, a greeting, an echo.

use anyhow::{Context, Result};
use hola_webrtc_e2e::{Browser, Stage, Step, Watched, in_browser};

/// The parts that the server takes, alone or with the browser.
const PARTS: [&str; 9] = ["6a", "6b", "6c", "6d", "6e", "8a", "8b", "8c", "8d"];

/// The whole job, in any browser.
pub(crate) async fn converse(stage: &mut Stage) -> Result<()> {
    let page = &stage.page;
    let idle = page.open_ready(&stage.url()).await?;
    assert!(idle.steps.iter().all(|step| step.state == "pending"), "{idle:#?}");
    assert_eq!(idle.session, None);
    let field = idle.field.context("there is a field")?;
    assert!(field.disabled && field.hint.is_some(), "{field:?}");

    page.note_steps().await?;
    page.connect().await?;
    let open =
        page.until("every step is done", |page| page.steps.iter().all(|step| step.state == "done")).await?;
    assert_eq!(page.noted_steps().await?, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let times = open.steps.iter().map(Step::seconds).collect::<Result<Vec<f64>>>()?;
    assert_eq!(times.len(), 8);
    assert!(times.is_sorted(), "{times:?}");
    let session = open.session.context("the session has an id")?;
    // Who knows the whole id has power over the session.
    let log = stage.log()?;
    assert!(log.contains(&session[..8]), "the server's log has no session {session}");
    assert!(!log.contains(&session), "the server's log has the whole id of {session}");

    let watched = page.until("the server tells of its side", |page| {
        PARTS.iter().all(|part| page.watched.iter().any(|told| told.step == *part))
    });
    let mut watched = watched.await?.watched;
    watched.dedup_by(|told, before| told.step == before.step);
    assert!(watched.iter().map(|told| &*told.step).eq(PARTS), "{watched:#?}");
    let told = watched.iter().map(Watched::seconds).collect::<Result<Vec<f64>>>()?;
    assert!(told.is_sorted(), "{watched:#?}");
    // Its answer was ready after the request had left, and before the reply was there.
    assert!(told[0] >= times[4] && told[4] <= times[6], "{watched:#?} in {times:?}");

    let greeted = page.until("the server greets", |page| !page.said("server").is_empty()).await?;
    assert_eq!(greeted.chat[0].from, "server", "{greeted:#?}");
    assert!(greeted.said("server").join(" ").contains(&session), "{greeted:#?}");

    page.say("¿Qué tal? 👋").await?;
    let echoed = page.until("the echo is there", |page| !page.said("echo").is_empty()).await?;
    assert_eq!(echoed.said("me"), ["¿Qué tal? 👋"]);
    assert_eq!(echoed.said("echo"), ["¿Qué tal? 👋"]);
    let echo = echoed.chat.iter().find(|message| message.from == "echo").context("there is an echo")?;
    assert!(echo.rtt.as_deref().is_some_and(|time| time.contains("ms")), "{echo:?}");
    assert_eq!(echoed.field.context("there is a field")?.value, "", "the field is emptied");
    Ok(())
}

#[test]
fn one_click_leads_through_eight_steps_to_an_echo_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "es", converse)
}

#[test]
fn one_click_leads_through_eight_steps_to_an_echo_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "es", converse)
}

#[test]
fn messages_come_back_in_order_and_an_empty_field_sends_nothing() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let page = &stage.page;
        page.open_ready(&stage.url()).await?;
        page.connect().await?;
        page.say("").await?;
        let texts: Vec<String> = (1..=20).map(|number| format!("message {number}")).collect();
        for text in &texts {
            page.say(text).await?;
        }
        let all = page.until("20 echoes are there", |page| page.said("echo").len() == 20).await?;
        assert_eq!(all.said("me"), texts);
        assert_eq!(all.said("echo"), texts);
        Ok(())
    })
}

#[test]
fn closing_and_starting_again_makes_a_new_session() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let page = &stage.page;
        page.open_ready(&stage.url()).await?;
        let first = page.connect().await?;
        page.click("#close").await?;
        let closed = page.until("the connection is closed", |page| page.is("closed")).await?;
        assert!(closed.notice.is_none(), "closing is no fault: {closed:#?}");
        assert!(closed.field.is_some_and(|field| field.disabled));

        let second = page.connect().await?;
        assert!(second.session.is_some());
        assert_ne!(first.session, second.session);
        page.say("again").await?;
        page.until("the echo is there", |page| page.said("echo").ends_with(&["again"])).await?;
        Ok(())
    })
}
