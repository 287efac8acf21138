//! Spanish and English.

use anyhow::Result;
use hola_webrtc_e2e::{Browser, Stage, in_browser};

#[test]
fn the_page_and_the_greeting_are_in_the_browsers_language() -> Result<()> {
    in_browser(Browser::Chromium, "es", async |stage: &mut Stage| {
        let page = &stage.page;
        assert_eq!(page.open_ready(&stage.url()).await?.language, "es");
        page.connect().await?;
        let greeted = page.until("the server greets", |page| !page.said("server").is_empty()).await?;
        assert!(greeted.said("server").concat().contains("sesión"), "{greeted:#?}");
        Ok(())
    })
}

#[test]
fn the_switch_changes_the_page_and_the_next_greeting_and_is_remembered() -> Result<()> {
    in_browser(Browser::Chromium, "es", async |stage: &mut Stage| {
        let page = &stage.page;
        let spanish = page.open_ready(&stage.url()).await?;
        page.click("#language button[data-lang=en]").await?;
        let english = page.until("the page is English", |page| page.language == "en").await?;
        assert_ne!(spanish.text, english.text);

        page.reload().await?;
        page.until("the page is English again", |page| page.language == "en" && page.can_start).await?;
        page.connect().await?;
        let greeted = page.until("the server greets", |page| !page.said("server").is_empty()).await?;
        let greeting = greeted.said("server").concat();
        assert!(greeting.contains("session") && !greeting.contains("sesión"), "{greeting}");
        Ok(())
    })
}

#[test]
fn the_address_can_name_the_language() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let page = stage.page.open_ready(&format!("{}?lang=es", stage.url())).await?;
        assert_eq!(page.language, "es");
        Ok(())
    })
}
