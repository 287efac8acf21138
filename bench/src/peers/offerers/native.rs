//! Our own offerer, which costs little: the operations of `offerer.js`, and crowds of connections.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use hola_webrtc_offerer::{
    Channel, ChannelOptions, ConnectOptions, Connection, Message, Offerer, Settings, Sockets, Trust,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::peers::figures::Quantiles;

/// For what takes milliseconds, or a second under loss.
const DEADLINE: Duration = Duration::from_secs(30);

/// For whole transfers.
const TRANSFER: Duration = Duration::from_secs(100);

/// How many bytes may be without their echo. With more the window would close while they are read in one go; some peers find
/// out only after seconds that it is open again.
const ON_THE_WAY: usize = 512 * 1024;

/// How many connections of a crowd come up at the same time.
const AT_ONCE: usize = 16;

#[derive(Debug)]
pub(crate) struct Native {
    offerer: Offerer,
    current: Option<(Connection, Channel)>,
}

/// Many connections at once. Dropped, they are closed.
#[derive(Debug)]
pub(crate) struct Crowd(Vec<(Connection, Channel)>);

impl Native {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { offerer: offerer(Sockets::Own)?, current: None })
    }

    pub(super) async fn call(&mut self, operation: &str, arguments: &Value) -> Result<Value> {
        match operation {
            "connect" => self.connect(arguments).await,
            "open" => self.open(arguments).await,
            "close" => {
                self.current = None;
                Ok(json!({}))
            }
            "roundtrip" => {
                let times =
                    round_trips(self.channel()?, number(arguments, "size"), number(arguments, "count"));
                Ok(json!(Quantiles::of(times.await?)))
            }
            "echo" => self.echo(arguments).await,
            "up" => self.up(arguments).await,
            "down" => self.down(arguments).await,
            _ => bail!("there is no operation {operation}"),
        }
    }

    fn channel(&self) -> Result<&Channel> {
        self.current.as_ref().map(|(_, channel)| channel).context("nothing is open")
    }

    /// It gathers nothing, so that its offers always leave at once.
    async fn connect(&mut self, arguments: &Value) -> Result<Value> {
        let url = text(arguments, "url")?;
        let mut times = Vec::new();
        for _ in 0..number(arguments, "times") {
            let begun = Instant::now();
            let (connection, channel) = self.offerer.connect(url, &options("echo")).await?;
            times.push(begun.elapsed());
            // It is closed by closing the connection: the server is told at once.
            drop((connection, channel));
        }
        let times = Quantiles::of(times);
        Ok(json!({ "click": times, "post": times }))
    }

    async fn open(&mut self, arguments: &Value) -> Result<Value> {
        self.current = None;
        let label = text(arguments, "label").unwrap_or("echo");
        let begun = Instant::now();
        self.current = Some(self.offerer.connect(text(arguments, "url")?, &options(label)).await?);
        let took = millis(begun.elapsed());
        Ok(json!({ "click": took, "post": took }))
    }

    async fn echo(&self, arguments: &Value) -> Result<Value> {
        let (channel, size) = (self.channel()?, number(arguments, "size"));
        let begun = Instant::now();
        let until = begun + Duration::from_millis(number(arguments, "limit") as u64);
        let (message, most) = (Message::from(Bytes::from(vec![1; size])), (ON_THE_WAY / size).max(1));
        let (mut sent, mut received) = (0, 0);
        let transfer = async {
            loop {
                while sent < number(arguments, "count") && sent - received < most && Instant::now() < until {
                    channel.send(message.clone()).await?;
                    sent += 1;
                }
                if received == sent {
                    return anyhow::Ok(());
                }
                channel.receive().await.context("the channel has closed")?;
                received += 1;
            }
        };
        timeout(TRANSFER, transfer).await.context("the echoes do not come")??;
        Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": received * size }))
    }

    async fn up(&self, arguments: &Value) -> Result<Value> {
        let (channel, size) = (self.channel()?, number(arguments, "size"));
        let before = counted(channel).await?;
        let begun = Instant::now();
        let until = begun + Duration::from_millis(number(arguments, "limit") as u64);
        let (message, mut sent) = (Message::from(Bytes::from(vec![1; size])), 0);
        while sent < number(arguments, "count") && Instant::now() < until {
            channel.send(message.clone()).await?;
            sent += 1;
        }
        let bytes = counted(channel).await? - before;
        ensure!(bytes == sent * size, "{} bytes were sent, and {bytes} counted", sent * size);
        Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": bytes }))
    }

    async fn down(&self, arguments: &Value) -> Result<Value> {
        let (channel, size, count) = (self.channel()?, number(arguments, "size"), number(arguments, "count"));
        let begun = Instant::now();
        channel.send(format!("{size} {count}")).await?;
        let transfer = async {
            for _ in 0..count {
                channel.receive().await.context("the channel has closed")?;
            }
            anyhow::Ok(())
        };
        timeout(TRANSFER, transfer).await.context("the bytes do not come")??;
        Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": count * size }))
    }
}

impl Crowd {
    /// Connects so many, several at a time, from one socket.
    pub(crate) async fn gather(url: &str, number: usize) -> Result<Self> {
        let offerer = Arc::new(offerer(Sockets::Shared)?);
        let options = options("echo");
        let connect = |_| offerer.connect(url, &options);
        let crowd = stream::iter(0..number).map(connect).buffer_unordered(AT_ONCE).try_collect();
        Ok(Self(crowd.await.context("a connection does not come up")?))
    }

    /// Each sends a message, awaits its echo, and so on, for this long. How long every round trip took.
    pub(crate) async fn talk(&self, size: usize, lasting: Duration) -> Result<Vec<Duration>> {
        let until = Instant::now() + lasting;
        let talks = self.0.iter().map(async |(_, channel)| {
            let mut times = Vec::new();
            while Instant::now() < until {
                times.extend(round_trips(channel, size, 1).await?);
            }
            anyhow::Ok(times)
        });
        Ok(try_join_all(talks).await?.concat())
    }
}

fn offerer(sockets: Sockets) -> Result<Offerer> {
    Ok(Offerer::new(Settings { trust: Trust::Anyone, sockets })?)
}

fn options(label: &str) -> ConnectOptions {
    ConnectOptions {
        channel: ChannelOptions::labelled(label),
        deadline: DEADLINE,
        ..ConnectOptions::default()
    }
}

/// What a server has counted on a channel labelled `sink`.
async fn counted(channel: &Channel) -> Result<usize> {
    channel.send("report").await?;
    let reply = timeout(TRANSFER, channel.receive()).await.context("the count does not come")?;
    Ok(std::str::from_utf8(reply.context("the channel has closed")?.as_bytes())?.parse()?)
}

async fn round_trips(channel: &Channel, size: usize, count: usize) -> Result<Vec<Duration>> {
    let message = Message::from(Bytes::from(vec![1; size]));
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let sent = Instant::now();
        channel.send(message.clone()).await?;
        let echo = timeout(DEADLINE, channel.receive()).await.context("an echo does not come")?;
        echo.context("the channel has closed")?;
        times.push(sent.elapsed());
    }
    Ok(times)
}

fn number(arguments: &Value, name: &str) -> usize {
    arguments[name].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_default()
}

fn text<'a>(arguments: &'a Value, name: &str) -> Result<&'a str> {
    arguments[name].as_str().with_context(|| format!("no {name} is given"))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
