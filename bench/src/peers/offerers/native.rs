//! Our own offerer, which costs little: the operations of `offerer.js`, and crowds of connections.

mod unread;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use futures_util::{StreamExt, future::try_join_all, stream};
use hola_webrtc_offerer::{
    Channel, ChannelOptions, ConnectOptions, Connection, Message, Offerer, Settings, Sockets, Trust,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::peers::figures::Quantiles;

/// For what takes milliseconds, or a second under loss.
const DEADLINE: Duration = Duration::from_secs(15);

/// How many bytes may be without their echo, or are asked for ahead of what has come. With more the window would close while
/// they are read in one go; some peers find out only after seconds that it is open again.
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
        Ok(Self { offerer: offerer()?, current: None })
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
                let until = until(arguments);
                let times = round_trips(self.channel()?, number(arguments, "size"), until).await?;
                Ok(json!(Quantiles::of(times)))
            }
            "echo" => self.echo(arguments).await,
            "unread" => unread::echo(self.channel()?, arguments).await,
            "up" => self.up(arguments).await,
            "down" => self.down(arguments).await,
            _ => bail!("there is no operation {operation}"),
        }
    }

    fn channel(&self) -> Result<&Channel> {
        self.current.as_ref().map(|(_, channel)| channel).context("nothing is open")
    }

    /// It gathers nothing, so that its offers always leave at once. When, it does not tell.
    async fn connect(&mut self, arguments: &Value) -> Result<Value> {
        let (url, until) = (text(arguments, "url")?, until(arguments));
        let mut times = Vec::new();
        while times.len() < number(arguments, "times")
            && (times.len() < number(arguments, "least") || Instant::now() < until)
        {
            let begun = Instant::now();
            let (connection, channel) = self.offerer.connect(url, &options("echo", DEADLINE)).await?;
            times.push(begun.elapsed());
            // It is closed by closing the connection: the server is told at once.
            drop((connection, channel));
        }
        Ok(json!({ "click": Quantiles::of(times) }))
    }

    async fn open(&mut self, arguments: &Value) -> Result<Value> {
        self.current = None;
        let label = text(arguments, "label").unwrap_or("echo");
        let deadline = match number(arguments, "deadline") {
            0 => DEADLINE,
            milliseconds => Duration::from_millis(milliseconds as u64),
        };
        let begun = Instant::now();
        let options = options(label, deadline);
        self.current = Some(self.offerer.connect(text(arguments, "url")?, &options).await?);
        Ok(json!({ "click": millis(begun.elapsed()) }))
    }

    async fn echo(&self, arguments: &Value) -> Result<Value> {
        let (channel, size) = (self.channel()?, number(arguments, "size"));
        let (begun, until, is_cut) = (Instant::now(), until(arguments), arguments["cut"] == true);
        let count = match number(arguments, "count") {
            0 => usize::MAX,
            count => count,
        };
        let (message, most) = (Message::from(Bytes::from(vec![1; size])), (ON_THE_WAY / size).max(1));
        let (mut sent, mut received) = (0, 0);
        let transfer = async {
            loop {
                while sent < count && sent - received < most && Instant::now() < until {
                    channel.send(message.clone()).await?;
                    sent += 1;
                }
                if received == sent || (is_cut && Instant::now() >= until) {
                    return anyhow::Ok(());
                }
                match timeout(remaining(until), channel.receive()).await {
                    Ok(echo) => echo.context("the channel has closed")?,
                    Err(_) if is_cut => return Ok(()),
                    Err(_) => {
                        let echo = timeout(DEADLINE, channel.receive()).await;
                        echo.context("the echoes do not come")?.context("the channel has closed")?
                    }
                };
                received += 1;
            }
        };
        transfer.await?;
        Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": received * size }))
    }

    async fn up(&self, arguments: &Value) -> Result<Value> {
        let (channel, size) = (self.channel()?, number(arguments, "size"));
        let before = counted(channel).await?;
        let (begun, until) = (Instant::now(), until(arguments));
        let (message, mut sent) = (Message::from(Bytes::from(vec![1; size])), 0);
        while Instant::now() < until {
            let sending = timeout(DEADLINE, channel.send(message.clone())).await;
            sending.context("the server takes no more")??;
            sent += 1;
        }
        let bytes = counted(channel).await? - before;
        ensure!(bytes == sent * size, "{} bytes were sent, and {bytes} counted", sent * size);
        Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": bytes }))
    }

    /// It asks for more before the server runs dry.
    async fn down(&self, arguments: &Value) -> Result<Value> {
        let (channel, size) = (self.channel()?, number(arguments, "size"));
        let (begun, until, batch) = (Instant::now(), until(arguments), ON_THE_WAY / 4 / size);
        let (mut asked, mut received) = (0, 0);
        loop {
            while asked + batch <= received + ON_THE_WAY / size && Instant::now() < until {
                channel.send(format!("{size} {batch}")).await?;
                asked += batch;
            }
            if received == asked {
                break;
            }
            let message = timeout(DEADLINE, channel.receive()).await.context("the bytes do not come")?;
            message.context("the channel has closed")?;
            received += 1;
        }
        Ok(json!({ "milliseconds": millis(begun.elapsed()), "bytes": received * size }))
    }
}

impl Crowd {
    /// Connects this many, several at a time, or fewer if there is no time for more or some fail. An error if more fail than
    /// come up. Each has a socket of its own: with one for all, libdatachannel's hardly come up.
    pub(crate) async fn gather(url: &str, most: usize, within: Duration) -> Result<Self> {
        let offerer = Arc::new(offerer()?);
        let options = options("echo", DEADLINE);
        let connect = |_| offerer.connect(url, &options);
        let all = stream::iter(0..most).map(connect).buffer_unordered(AT_ONCE);
        let mut all = all.take_until(Box::pin(sleep(within)));
        let (mut crowd, mut errors) = (Vec::new(), Vec::new());
        while let Some(connected) = all.next().await {
            match connected {
                Ok(one) => crowd.push(one),
                Err(error) => errors.push(error),
            }
        }
        let (up, failed) = (crowd.len(), errors.len());
        match errors.into_iter().next() {
            Some(error) if failed > up => Err(anyhow::Error::new(error).context(format!(
                "{up} connections came up and {failed} did not, the first of them because"
            ))),
            _ => Ok(Self(crowd)),
        }
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each sends a message, awaits its echo, and so on, for this long. How long every round trip took.
    pub(crate) async fn talk(&self, size: usize, lasting: Duration) -> Result<Vec<Duration>> {
        let until = Instant::now() + lasting;
        let talks = self.0.iter().map(|(_, channel)| round_trips(channel, size, until));
        Ok(try_join_all(talks).await?.concat())
    }
}

fn offerer() -> Result<Offerer> {
    Ok(Offerer::new(Settings { trust: Trust::Anyone, sockets: Sockets::Own })?)
}

fn options(label: &str, deadline: Duration) -> ConnectOptions {
    ConnectOptions { channel: ChannelOptions::labelled(label), deadline, ..ConnectOptions::default() }
}

/// What a server has counted on a channel labelled `sink`.
async fn counted(channel: &Channel) -> Result<usize> {
    channel.send("report").await?;
    let reply = timeout(DEADLINE, channel.receive()).await.context("the count does not come")?;
    Ok(std::str::from_utf8(reply.context("the channel has closed")?.as_bytes())?.parse()?)
}

/// At least one.
async fn round_trips(channel: &Channel, size: usize, until: Instant) -> Result<Vec<Duration>> {
    let message = Message::from(Bytes::from(vec![1; size]));
    let mut times = Vec::new();
    while times.is_empty() || Instant::now() < until {
        let sent = Instant::now();
        channel.send(message.clone()).await?;
        let echo = timeout(DEADLINE, channel.receive()).await.context("an echo does not come")?;
        echo.context("the channel has closed")?;
        times.push(sent.elapsed());
    }
    Ok(times)
}

/// When the milliseconds of an operation are over.
fn until(arguments: &Value) -> Instant {
    Instant::now() + Duration::from_millis(number(arguments, "limit") as u64)
}

fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
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
