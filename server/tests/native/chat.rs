//! The channel labelled `chat`, on which the server speaks first.

use std::time::Duration;

use hola_webrtc_protocol::CHAT_LABEL;
use hola_webrtc_server::Message;

use crate::{
    echo::messages,
    stand::{Stand, connect},
};

async fn stand(greeting_interval: Duration) -> Stand {
    Stand::with("127.0.0.1:0", &[], greeting_interval).await
}

#[tokio::test]
async fn the_greeting_comes_first_in_the_clients_language_and_names_the_session() {
    let stand = Stand::start().await;
    for (language, greeting) in [
        (None, "Hello!"),
        (Some("es-ES,es;q=0.9,en;q=0.8"), "¡Hola!"),
        (Some("en-GB"), "Hello!"),
        (Some("de"), "Hello!"),
    ] {
        let headers: Vec<_> = language.into_iter().map(|language| ("accept-language", language)).collect();
        let (offerer, line, answer) = connect(stand.http, CHAT_LABEL, &headers).await;
        let welcome = line.next_text().await;
        assert!(welcome.starts_with(greeting), "{language:?}: {welcome}");
        assert!(welcome.contains(&answer.session.to_string()), "{welcome}");
        offerer.close().await;
    }
}

#[tokio::test]
async fn after_the_greeting_it_is_an_echo_like_any_other() {
    let stand = Stand::start().await;
    let (offerer, line, _) = stand.connect(CHAT_LABEL).await;
    line.next_text().await;
    line.assert_echoes(&messages()).await;
    offerer.close().await;
}

#[tokio::test]
async fn the_server_speaks_on_its_own_at_each_interval_and_echoes_in_between() {
    let stand = stand(Duration::from_millis(50)).await;
    let (offerer, line, _) = connect(stand.http, CHAT_LABEL, &[("accept-language", "es")]).await;
    assert!(line.next_text().await.starts_with("¡Hola!"));
    let mut remarks = Vec::new();
    let mut is_echoed = false;
    line.send(&Message::Text("eco".to_owned())).await;
    while remarks.len() < 3 || !is_echoed {
        match line.next_text().await {
            text if text == "eco" => is_echoed = true,
            remark => remarks.push(remark),
        }
    }
    assert!(remarks[0].starts_with("Sigo aquí."), "{remarks:?}");
    assert!(remarks[0] != remarks[1] && remarks[1] != remarks[2], "{remarks:?}");
    offerer.close().await;
}

#[tokio::test]
async fn with_an_interval_of_zero_and_on_other_channels_nothing_but_the_echo_is_heard() {
    let echo = Message::Text("x".to_owned());
    let silent = stand(Duration::ZERO).await;
    let (offerer, line, _) = silent.connect(CHAT_LABEL).await;
    line.next_text().await;
    let talkative = stand(Duration::from_millis(1)).await;
    let (other, other_line, _) = talkative.connect("other").await;
    // Each echo is a chance for something else to come instead.
    for _ in 0..50 {
        line.assert_echoes(std::slice::from_ref(&echo)).await;
        other_line.assert_echoes(std::slice::from_ref(&echo)).await;
    }
    offerer.close().await;
    other.close().await;
}
