//! The service of the binary: an echo on every channel, and on the one labelled `chat` a server that speaks
//! first.

use std::{
    future::{self, Future},
    pin::pin,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt, stream::FuturesUnordered};
use hola_webrtc_protocol::CHAT_LABEL;
use tokio::time::{Instant, interval_at};
use tracing::debug;

use crate::{
    channel::{Channel, Message, SendError},
    framing::{IncomingLarge, Large, LargeError},
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

async fn serve_session(session: Session, greeting_interval: Duration) {
    let language = Language::negotiate(session.context().accept_language.as_deref());
    let spawner = session.spawner();
    // Also while the server stops: a channel that has just opened is there for its client, and has to be closed.
    while let Some(channel) = session.accept_channel().await {
        let welcome = (channel.label() == CHAT_LABEL).then(|| language.welcome(session.id()));
        let stop = session.draining();
        spawner.spawn(echo_large(channel.large()));
        spawner.spawn(async move {
            let label = channel.label().to_owned();
            let result = match welcome {
                Some(welcome) => chat(channel, welcome, language, greeting_interval, stop).await,
                None => echo_until(channel, stop).await,
            };
            if let Err(error) = result {
                debug!("the echo on channel {label:?} ends: {error}");
            }
        });
    }
}

/// Sends every message back as it came, until the channel closes.
pub async fn echo(channel: Channel) -> Result<(), SendError> {
    echo_until(channel, future::pending()).await
}

/// As [`echo`], until `stop` is done. What has come by then is still sent back, then the channel closes.
pub async fn echo_until(mut channel: Channel, stop: impl Future<Output = ()>) -> Result<(), SendError> {
    let mut stop = pin!(stop);
    loop {
        let message = tokio::select! {
            biased;
            message = channel.next() => message,
            () = &mut stop => {
                // Its client goes on with whoever comes after this server.
                channel.part().await;
                return Ok(());
            }
        };
        let Some(message) = message else { return channel.close().await };
        channel.feed(message).await?;
    }
}

/// Sends every large transfer back as it comes, piece by piece, until the channel ends: what the peer does not take of
/// one, it is not asked for.
pub async fn echo_large(large: Large) {
    let mut echoes = FuturesUnordered::new();
    loop {
        tokio::select! {
            incoming = large.accept() => match incoming {
                Some(incoming) => echoes.push(echo_transfer(large.clone(), incoming)),
                None => return,
            },
            Some(result) = echoes.next() => {
                if let Err(error) = result {
                    debug!("the echo of a large transfer ends: {error}");
                }
            }
        }
    }
}

/// Whoever gives either direction up, is told of on the other in the same words.
async fn echo_transfer(large: Large, mut incoming: IncomingLarge) -> Result<(), LargeError> {
    let outgoing = large.start(incoming.info().clone()).await?;
    while let Some(chunk) = incoming.next().await {
        match chunk {
            Ok(chunk) => {
                if let Err(error) = outgoing.write(&chunk).await {
                    incoming.cancel(&words(&error));
                    return Err(error);
                }
            }
            Err(error) => {
                outgoing.cancel(&error.to_string());
                return Err(error.into());
            }
        }
    }
    outgoing.finish().await
}

fn words(error: &LargeError) -> String {
    match error {
        LargeError::GivenUp(reason) => reason.clone(),
        other => other.to_string(),
    }
}

/// As [`echo_until`], but greets first, and speaks at each interval.
async fn chat(
    mut channel: Channel,
    welcome: String,
    language: Language,
    interval: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), SendError> {
    channel.feed(Message::Text(welcome)).await?;
    if interval.is_zero() {
        return echo_until(channel, stop).await;
    }
    let mut ticks = interval_at(Instant::now() + interval, interval);
    let mut remarks = language.remarks();
    let mut stop = pin!(stop);
    loop {
        let message = tokio::select! {
            biased;
            message = channel.next() => message,
            () = &mut stop => {
                channel.part().await;
                return Ok(());
            }
            _ = ticks.tick() => Some(Message::Text(remarks.next().unwrap_or_default().to_owned())),
        };
        let Some(message) = message else { return channel.close().await };
        channel.feed(message).await?;
    }
}
