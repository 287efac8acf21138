//! `<hola-webrtc>` in pages of another origin, under policies that allow own scripts and own WebAssembly alone.

use anyhow::{Context, Result};
use hola_webrtc_e2e::{Browser, Element, Site, Stage, in_browser};
use serde_json::Value;

/// The page's texts, which the element repeats.
const SPANISH: &str = include_str!("../../../page/locales/es.json");

#[test]
fn one_script_tag_shows_a_chat_under_a_strict_policy_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", chat)
}

#[test]
fn one_script_tag_shows_a_chat_under_a_strict_policy_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", chat)
}

async fn chat(stage: &mut Stage) -> Result<()> {
    let open = stand(stage, "").await?;
    assert_eq!(open.language.as_deref(), Some("en"));
    assert!(open.steps.is_empty(), "a chat lists no steps: {open:#?}");
    let page = &stage.page;
    page.until_element("the server greets", |element| !element.said("server").is_empty()).await?;
    page.say_in_element("¿Qué tal? 👋").await?;
    let echoed = page.until_element("the echo is there", |element| !element.said("echo").is_empty()).await?;
    assert_eq!(echoed.said("me"), ["¿Qué tal? 👋"]);
    assert_eq!(echoed.said("echo"), ["¿Qué tal? 👋"]);
    assert!(echoed.chat.iter().any(|message| message.rtt.is_some()), "{echoed:#?}");
    in_peace(&echoed);

    // The watch does see what breaks the policy: this does.
    page.run("document.body.append(Object.assign(document.createElement('script'), { textContent: '1' }))")
        .await?;
    let broken = page.until_element("a violation is noted", |element| !element.violations.is_empty()).await?;
    assert_eq!(broken.violations, ["script-src-elem inline"]);
    Ok(())
}

#[test]
fn an_import_map_brings_a_lesson_with_eight_steps_and_their_data_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "es", lesson)
}

#[test]
fn an_import_map_brings_a_lesson_with_eight_steps_and_their_data_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "es", lesson)
}

async fn lesson(stage: &mut Stage) -> Result<()> {
    stand(stage, "import_map.html").await?;
    // The document is English; the element does not have to be.
    stage.page.run("document.querySelector('hola-webrtc').lang = 'es'").await?;
    let all_done = |element: &Element| {
        element.language.as_deref() == Some("es") && element.steps.iter().all(|step| step.state == "done")
    };
    let done = stage.page.until_element("every step is done, in Spanish", all_done).await?;
    let times = done.steps.iter().map(hola_webrtc_e2e::Step::seconds).collect::<Result<Vec<f64>>>()?;
    assert_eq!(times.len(), 8);
    assert!(times.is_sorted(), "{times:?}");
    let texts: Value = serde_json::from_str(SPANISH)?;
    let titles: Vec<_> = (1..=8).map(|number| texts[format!("step_{number}_title")].clone()).collect();
    assert_eq!(titles, done.titles);
    for sought in ["Oferta (SDP)", "Respuesta (SDP)", "Candidatos", "Pareja elegida", "a=fingerprint:"] {
        assert!(done.data.iter().any(|data| data.contains(sought)), "no {sought} in {:#?}", done.data);
    }
    in_peace(&done);
    Ok(())
}

#[test]
fn what_webpack_builds_speaks_the_documents_language_and_tells_its_script_of_the_end() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let site = Site::bundled("webpack", &stage.url()).await?;
        stage.allow_origin(&site.origin())?;
        stage.page.open(&site.page("")).await?;
        let greeted = stage
            .page
            .until_element("the server greets", |element| !element.said("server").is_empty())
            .await?;
        assert_eq!(greeted.language.as_deref(), Some("es"));
        assert!(greeted.said("server").concat().contains("sesión"), "{greeted:#?}");
        stage.page.click_in_element("button").await?;
        let state = "return document.querySelector('#state').textContent";
        stage
            .page
            .until_script("the end is told", state, |state: &String| state == "closed by local")
            .await?;
        let closed =
            stage.page.until_element("the element is closed", |element| element.is("closed")).await?;
        assert_eq!(closed.notice, None, "closing is no fault");
        in_peace(&closed);

        stage.page.click_in_element("button").await?;
        let again =
            stage.page.until_element("the channel is open again", |element| element.is("open")).await?;
        assert_ne!(again.session, greeted.session);
        Ok(())
    })
}

#[test]
fn an_element_that_is_moved_keeps_its_session_and_one_taken_out_ends_it() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let first = stand(stage, "").await?.session.context("the session has an id")?;
        let page = &stage.page;
        page.run(
            "window.host = document.querySelector('hola-webrtc');
             window.told = [];
             for (const type of ['open', 'close', 'error']) host.addEventListener(type, () => told.push(type));
             const place = document.createElement('main');
             document.body.append(place);
             place.append(host);",
        )
        .await?;
        page.say_in_element("moved").await?;
        let moved =
            page.until_element("the echo is there", |element| !element.said("echo").is_empty()).await?;
        assert_eq!(moved.session.as_deref(), Some(&*first));

        page.run("host.remove()").await?;
        let told = "return [...window.told, host.session.state]";
        let ended = |told: &Vec<String>| told == &["close", "closed"];
        page.until_script("the end is told, once", told, ended).await?;
        page.run("document.body.append(host)").await?;
        let back = page.until_element("the channel is open again", |element| element.is("open")).await?;
        assert_ne!(back.session.as_deref(), Some(&*first));
        in_peace(&back);
        Ok(())
    })
}

#[test]
fn attributes_and_properties_say_the_same_and_another_server_makes_another_session() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let first = stand(stage, "").await?;
        let page = &stage.page;
        let reflected = page
            .run(
                "const host = document.querySelector('hola-webrtc');
                 host.mode = 'status';
                 host.reconnect = true;
                 host.setAttribute('token', 't');
                 return [host.getAttribute('mode'), host.hasAttribute('reconnect'), host.token, host.label,
                     host.src === new URL(host.getAttribute('src')).href];",
            )
            .await?;
        assert_eq!(reflected, serde_json::json!(["status", true, "t", "chat", true]));
        let second = page
            .until_element("there is another session", |element| {
                element.is("open") && element.session != first.session
            })
            .await?;
        assert!(second.chat.is_empty() && second.steps.is_empty(), "the status stands alone: {second:#?}");

        page.run("document.querySelector('hola-webrtc').removeAttribute('src')").await?;
        page.until_element("nothing is connected", |element| element.is("closed")).await?;
        Ok(())
    })
}

#[test]
fn a_page_hears_the_messages_and_styles_every_part_in_chromium() -> Result<()> {
    in_browser(Browser::Chromium, "en", styled)
}

#[test]
fn a_page_hears_the_messages_and_styles_every_part_in_firefox() -> Result<()> {
    in_browser(Browser::Firefox, "en", styled)
}

/// What `element.d.ts` says of events, parts and custom properties.
async fn styled(stage: &mut Stage) -> Result<()> {
    stand(stage, "").await?;
    let page = &stage.page;
    page.run(
        "window.host = document.querySelector('hola-webrtc');
         window.heard = [];
         host.addEventListener('message', ({ detail, bubbles }) => heard.push(`${detail.data} ${bubbles}`));
         const sheet = new CSSStyleSheet();
         sheet.replaceSync(`
             hola-webrtc { --hola-accent: rgb(1, 2, 3); --hola-paper: rgb(4, 5, 6); --hola-mono: 'the page own'; }
             hola-webrtc::part(status open) { outline: 3px solid; }
             hola-webrtc::part(message echo) { outline: 5px solid; }
             hola-webrtc::part(step done) { outline: 7px solid; }`);
         document.adoptedStyleSheets = [sheet];
         host.mode = 'lesson';",
    )
    .await?;
    page.say_in_element("hear this").await?;
    page.until_element("the echo is there", |element| !element.said("echo").is_empty()).await?;
    let told = "return heard.filter((message) => message.startsWith('hear'))";
    page.until_script("the message is told", told, |told: &Vec<String>| told == &["hear this false"]).await?;

    let is_styled = |outlines: &Vec<String>| outlines == &["3px", "5px", "7px"];
    let outlines = "return ['status', 'echo', 'step'].map((part) =>
        getComputedStyle(host.shadowRoot.querySelector(`[part~=${part}]`)).outlineWidth)";
    page.until_script("parts are styled by their states", outlines, is_styled).await?;
    let types = include_str!("../../../client/js/element.d.ts");
    let (_, parts) = types.split_once("reach its parts:").context("the types name the parts")?;
    let (parts, properties) = parts.split_once("custom properties:").context("and the properties")?;
    let quoted =
        |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    // What shows a failure is there when there is one.
    let passing = ["notice", "pending", "active", "failed", "::part(status open)"];
    let parts: Vec<String> =
        quoted(parts).into_iter().filter(|part| !passing.contains(&part.as_str())).collect();
    assert!(parts.len() > 15, "{parts:?}");
    let missing =
        format!("return {parts:?}.filter((part) => !host.shadowRoot.querySelector(`[part~=${{part}}]`))");
    assert_eq!(page.run(&missing).await?, serde_json::json!([]), "no such parts");
    let (properties, _) = properties.split_once("Light or dark").context("that is all of them")?;
    let properties = quoted(properties);
    assert!(properties.len() > 14, "{properties:?}");
    let unused = format!(
        "const rules = [...host.shadowRoot.adoptedStyleSheets[0].cssRules].map((rule) => rule.cssText).join();
         return {properties:?}.filter((name) => !rules.includes(`var(${{name}}`))"
    );
    assert_eq!(page.run(&unused).await?, serde_json::json!([]), "no such properties");
    let shown = page
        .run(
            "const styleOf = (part) => getComputedStyle(host.shadowRoot.querySelector(`[part~=${part}]`));
             return [styleOf('send').backgroundColor, styleOf('session').fontFamily];",
        )
        .await?;
    let [color, font] = [&shown[0], &shown[1]].map(|value| value.as_str().unwrap_or_default().to_owned());
    assert!(color == "rgb(1, 2, 3)" && font.contains("the page own"), "{color} {font}");
    Ok(())
}

#[test]
fn a_server_that_goes_is_told_with_what_to_do() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        stand(stage, "").await?;
        stage
            .page
            .run(
                "window.failures = [];
                 document.querySelector('hola-webrtc').addEventListener('error', ({ detail }) =>
                     failures.push(`${detail.name} ${detail.kind}`));",
            )
            .await?;
        stage.stop_server();
        let told = stage.page.until_element("the end is told", |element| element.notice.is_some()).await?;
        assert!(!told.is("open"), "{told:#?}");
        stage.page.click_in_element("button").await?;
        let down = stage.page.until_element("the failure is told", |element| element.is("failed")).await?;
        let notice = down.notice.context("there is a notice")?;
        assert!(notice.contains("--allow-origin") && notice.contains("server-unreachable"), "{notice}");
        let failures = stage.page.run("return failures.at(-1)").await?;
        assert_eq!(failures, "RtcError server-unreachable");
        Ok(())
    })
}

#[test]
fn a_language_without_texts_is_passed_over_whatever_it_is_called() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        stand(stage, "").await?;
        let page = &stage.page;
        for (tag, spoken) in [("es-MX", "es"), ("constructor", "en"), ("es", "es"), ("gl", "en")] {
            page.run(&format!("document.querySelector('hola-webrtc').lang = '{tag}'")).await?;
            let is_spoken = |element: &Element| element.language.as_deref() == Some(spoken);
            in_peace(&page.until_element(tag, is_spoken).await?);
        }
        Ok(())
    })
}

#[test]
fn a_session_that_is_left_just_as_it_is_there_does_not_stay() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        stand(stage, "").await?;
        let page = &stage.page;
        page.run(
            "window.host = document.querySelector('hola-webrtc');
             const before = host.session;
             const click = () => host.shadowRoot.querySelector('button').click();
             host.label = 'another';
             const found = setInterval(() => {
                 if (host.session === before) return;
                 clearInterval(found);
                 host.session.addEventListener('statechange', click, { once: true });
             }, 0);",
        )
        .await?;
        let is_over = |state: &String| state == "closed";
        page.until_script("the session is over", "return host.session.state", is_over).await?;
        in_peace(&page.until_element("it shows", |element| element.is("closed")).await?);
        Ok(())
    })
}

#[test]
fn after_an_echo_that_was_lost_with_its_connection_the_next_ones_are_known_again() -> Result<()> {
    in_browser(Browser::Chromium, "en", async |stage: &mut Stage| {
        let without = stand(stage, "").await?;
        // A session that reconnects is another one, which any token brings about.
        stage
            .page
            .run(
                "const host = document.querySelector('hola-webrtc');
                 host.reconnect = true;
                 host.token = 'any';
                 const { send } = RTCDataChannel.prototype;
                 RTCDataChannel.prototype.send = function (data) {
                     if (data !== 'lost') send.call(this, data);
                 };",
            )
            .await?;
        let greeted = |element: &Element| {
            element.is("open") && element.session != without.session && !element.said("server").is_empty()
        };
        let first = stage.page.until_element("the server greets", greeted).await?;
        stage.page.say_in_element("lost").await?;
        stage.stop_server();
        stage.start_server()?;
        let is_back = |element: &Element| element.said("server").len() == 2;
        let back = stage.page.until_element("the server greets again", is_back).await?;
        assert_ne!(back.session, first.session);
        stage.page.say_in_element("found").await?;
        let heard = |element: &Element| element.chat.len() == back.chat.len() + 2;
        let heard = stage.page.until_element("it comes back", heard).await?;
        assert_eq!(heard.said("me"), ["lost", "found"]);
        assert_eq!(heard.said("echo"), ["found"]);
        in_peace(&heard);
        Ok(())
    })
}

/// A page of an allowed origin, with its element open.
async fn stand(stage: &mut Stage, page: &str) -> Result<Element> {
    let site = Site::plain(&stage.url()).await?;
    stage.allow_origin(&site.origin())?;
    stage.page.open(&site.page(page)).await?;
    stage.keep(site);
    stage.page.until_element("the channel is open", |element| element.is("open")).await
}

/// Nothing broke the page's policy, and no error went astray.
fn in_peace(element: &Element) {
    assert!(element.violations.is_empty(), "{:?}", element.violations);
    assert!(element.faults.is_empty(), "{:?}", element.faults);
}
