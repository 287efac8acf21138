//! The service of the binary: an echo on every channel, and on the one labelled `chat` a server that speaks
//! first.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hola_webrtc_protocol::CHAT_LABEL;
use tokio::time::{Instant, interval_at};
use tracing::debug;

use crate::{
    channel::{Channel, Message, SendError},
    greeting::Language,
    server::RtcServer,
    session::Session,
};

/// Serves every session of the server until it stops. On `chat` channels the server says something on its
/// own at each interval, or never if that is zero.
pub async fn serve(server: RtcServer, greeting_interval: Duration) {
    while let Some(session) = server.accept().await {
        let spawner = session.spawner();
        spawner.spawn(serve_session(session, greeting_interval));
    }
}

async fn serve_session(mut session: Session, greeting_interval: Duration) {
    let language = Language::negotiate(session.context().accept_language.as_deref());
    let spawner = session.spawner();
    while let Some(channel) = session.accept_channel().await {
        let id = session.id();
        spawner.spawn(async move {
            let label = channel.label().to_owned();
            let result = if label == CHAT_LABEL {
                let welcome = language.welcome(id);
                chat(channel, welcome, language, greeting_interval).await
            } else {
                echo(channel).await
            };
            if let Err(error) = result {
                debug!(session = %id, "the echo on channel {label:?} ends: {error}");
            }
        });
    }
}

/// Sends every message back as it came, until the channel closes.
pub async fn echo(mut channel: Channel) -> Result<(), SendError> {
    while let Some(message) = channel.next().await {
        channel.feed(message).await?;
    }
    Ok(())
}

/// As [`echo`], but greets first, and speaks at each interval.
async fn chat(
    mut channel: Channel,
    welcome: String,
    language: Language,
    interval: Duration,
) -> Result<(), SendError> {
    channel.feed(Message::Text(welcome)).await?;
    if interval.is_zero() {
        return echo(channel).await;
    }
    let mut ticks = interval_at(Instant::now() + interval, interval);
    let mut remarks = language.remarks();
    loop {
        let message = tokio::select! {
            message = channel.next() => match message {
                Some(message) => message,
                None => return Ok(()),
            },
            _ = ticks.tick() => Message::Text(remarks.next().unwrap_or_default().to_owned()),
        };
        channel.feed(message).await?;
    }
}
