//! An echo for who sends as much as is taken, and reads nothing at first: whoever is between has every buffer full.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use hola_webrtc_offerer::{Channel, Message};
use serde_json::{Value, json};
use tokio::{time::timeout, try_join};

use super::{millis, number, remaining, until};

/// Sends `count` messages of this `size` in `limit` ms at most, and reads after `unread` ms what has come and what comes.
pub(super) async fn echo(channel: &Channel, arguments: &Value) -> Result<Value> {
    let (size, count) = (number(arguments, "size"), number(arguments, "count"));
    let (begun, until) = (Instant::now(), until(arguments));
    let message = Message::from(Bytes::from(vec![1; size]));
    let (mut sent, mut received) = (0, 0);
    let unread = Duration::from_millis(number(arguments, "unread") as u64);
    within(unread, send(channel, &message, count, &mut sent)).await?;
    let sending = within(remaining(until), send(channel, &message, count, &mut sent));
    let receiving = within(remaining(until), async {
        while received < count {
            channel.receive().await.context("the channel has closed")?;
            received += 1;
        }
        Ok(())
    });
    try_join!(sending, receiving)?;
    Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": received * size }))
}

async fn send(channel: &Channel, message: &Message, count: usize, sent: &mut usize) -> Result<()> {
    while *sent < count {
        channel.send(message.clone()).await?;
        *sent += 1;
    }
    Ok(())
}

/// As far as it comes in so much time.
async fn within(time: Duration, work: impl Future<Output = Result<()>>) -> Result<()> {
    timeout(time, work).await.unwrap_or(Ok(()))
}
