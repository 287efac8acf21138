//! One measurement: what the offerer does, and what that costs the answerer.

mod memory;

use std::{
    env,
    future::Future,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    answerer::Target,
    figures::{Figures, Quantiles},
    link::Weather,
    measure::{Cell, Measure, Scale},
    offerers::{Crowd, Offerer},
    relay::Relay,
    tracer::Tracer,
};

/// The size of a message whose round trip is timed.
const SMALL: usize = 64;

/// The size of messages by which memory is made to grow, and of those that are sent under loss.
const LARGE: usize = 16 * 1024;

const KIB: usize = 1024;

/// Takes one measurement.
pub(crate) async fn measure(
    cell: Cell,
    target: &Target,
    offerer: &mut Offerer,
    scale: &Scale,
) -> Result<Figures> {
    let number = cell.number as usize;
    let mut work = Work { target, offerer, scale };
    match cell.measure {
        Measure::Connect => work.connect("immediate").await,
        Measure::Gathered => work.connect("complete").await,
        Measure::Delayed => work.delayed(Duration::from_millis(u64::from(cell.number)), "immediate").await,
        Measure::GatheredDelayed => {
            work.delayed(Duration::from_millis(u64::from(cell.number)), "complete").await
        }
        Measure::RoundTrip => work.round_trip().await,
        Measure::Echo => work.transfer("echo", "echo", number * KIB).await,
        Measure::Up => work.transfer("up", "sink", number * KIB).await,
        Measure::Down => work.transfer("down", "source", number * KIB).await,
        Measure::Stream => work.transfer("echo", "stream", number * KIB).await,
        Measure::Rate => work.rate().await,
        Measure::Active => work.active(number).await,
        Measure::Idle => work.idle().await,
        Measure::Calls => work.calls().await,
        Measure::Allocations => work.allocations().await,
        Measure::Loss => work.loss(u64::from(cell.number) * 10).await,
        Measure::Growth => work.growth(number * KIB * KIB).await,
        Measure::Unread => work.unread(number * KIB * KIB).await,
        Measure::Overhead => in_a_page(scale.turns).await,
    }
}

/// What some work cost the answerer.
struct Cost {
    cpu: Duration,
    switches: u64,
    took: Duration,
}

struct Work<'a> {
    target: &'a Target,
    offerer: &'a mut Offerer,
    scale: &'a Scale,
}

impl Work<'_> {
    async fn connect(&mut self, gathering: &str) -> Result<Figures> {
        let (most, least) = self.scale.connections;
        let (url, limit) = (self.target.url.clone(), self.scale.span.as_millis());
        let connect = |times, least| json!({ "url": url, "times": times, "least": least, "limit": limit, "gathering": gathering });
        self.offerer.call("connect", connect(2, 2)).await?;
        let call = self.offerer.call("connect", connect(most, least));
        let (reply, cost) = cost(self.target, call).await?;
        let click = quantiles(&reply["click"])?;
        let mut all = figures([
            ("click-p50", click.p50),
            ("click-p90", click.p90),
            ("cpu-per-connection", millis(cost.cpu) / click.count as f64),
        ]);
        if let Some(post) = since_post(&reply)? {
            all.extend(figures([("post-p50", post.p50), ("post-p90", post.p90)]));
        }
        Ok(all)
    }

    async fn delayed(&mut self, round_trip: Duration, gathering: &str) -> Result<Figures> {
        let weather = Weather { delay: round_trip / 2, loss: 0 };
        let relay = Relay::to(&self.target.url, weather).await?;
        let (most, least) = self.scale.connections;
        let limit = self.scale.span.as_millis();
        let times = most.div_ceil(3);
        let order = json!({ "url": relay.url, "times": times, "least": least, "limit": limit, "gathering": gathering });
        let reply = self.offerer.call("connect", order).await?;
        let (click, post) = (quantiles(&reply["click"])?, since_post(&reply)?);
        // Who makes no page's offer makes it in no time.
        let trips = post.as_ref().unwrap_or(&click).p50 / millis(round_trip);
        let mut all = figures([("click-p50", click.p50), ("round-trips", trips)]);
        all.extend(post.map(|post| ("post-p50".to_owned(), post.p50)));
        Ok(all)
    }

    async fn round_trip(&mut self) -> Result<Figures> {
        self.open("echo").await?;
        self.warm_up().await?;
        let call = self.offerer.call("roundtrip", trips(self.scale.span));
        let (reply, cost) = cost(self.target, call).await?;
        self.close().await?;
        let times = quantiles(&reply)?;
        let count = times.count as f64;
        Ok(figures([
            ("p50", times.p50),
            ("p99", times.p99),
            ("p999", times.p999),
            ("cpu-per-message", micros(cost.cpu) / count),
            ("switches-per-message", cost.switches as f64 / count),
        ]))
    }

    /// The operation, by messages of this size, on a channel with this label.
    async fn transfer(&mut self, operation: &str, label: &str, size: usize) -> Result<Figures> {
        self.open(label).await?;
        let order = |limit: Duration| json!({ "size": size, "limit": limit.as_millis() });
        self.offerer.call(operation, order(self.scale.warm_up)).await?;
        let call = self.offerer.call(operation, order(self.scale.span));
        let (reply, cost) = cost(self.target, call).await?;
        self.close().await?;
        speed(&reply, cost.cpu)
    }

    /// As many as come up in time.
    async fn rate(&mut self) -> Result<Figures> {
        let (url, most) = (&self.target.url, self.scale.rate);
        drop(Crowd::gather(url, most, self.scale.warm_up).await?);
        let (crowd, cost) = cost(self.target, Crowd::gather(url, most, self.scale.span)).await?;
        let number = crowd.len() as f64;
        drop(crowd);
        ensure!(number > 0.0, "no connection came up within {:?}", self.scale.span);
        Ok(figures([
            ("connections-per-second", number / cost.took.as_secs_f64()),
            ("cpu-per-connection", millis(cost.cpu) / number),
        ]))
    }

    async fn active(&mut self, number: usize) -> Result<Figures> {
        let crowd = self.crowd(number).await?;
        crowd.talk(SMALL, self.scale.warm_up).await?;
        let (times, cost) = cost(self.target, crowd.talk(SMALL, self.scale.span)).await?;
        let (count, times) = (times.len() as f64, Quantiles::of(times));
        Ok(figures([
            ("messages-per-second", count / cost.took.as_secs_f64()),
            ("p50", times.p50),
            ("p99", times.p99),
            ("cpu-per-message", micros(cost.cpu) / count),
        ]))
    }

    async fn calls(&mut self) -> Result<Figures> {
        self.open("echo").await?;
        self.warm_up().await?;
        let tracer = Tracer::attach(&self.target.process).await?;
        let done = self.offerer.call("roundtrip", trips(self.scale.span)).await;
        let calls = tracer.detach().await?;
        let count = quantiles(&done?)?.count;
        self.close().await?;
        Ok(figures([("calls-per-message", calls as f64 / count as f64)]))
    }

    async fn allocations(&mut self) -> Result<Figures> {
        let counter = self.target.counter.as_ref().context("nobody counts its allocations")?;
        self.open("echo").await?;
        self.warm_up().await?;
        let before = counter.read(&self.target.url).await?;
        let done = self.offerer.call("roundtrip", trips(self.scale.span)).await?;
        let allocations = counter.read(&self.target.url).await?.saturating_sub(before);
        self.close().await?;
        Ok(figures([("allocations-per-message", allocations as f64 / quantiles(&done)?.count as f64)]))
    }

    /// So many of a thousand datagrams are lost, each way.
    async fn loss(&mut self, loss: u64) -> Result<Figures> {
        let relay = Relay::to(&self.target.url, Weather { delay: Duration::from_millis(5), loss }).await?;
        self.offerer.call("open", json!({ "url": relay.url })).await?;
        let times = quantiles(&self.offerer.call("roundtrip", trips(self.scale.span * 2)).await?)?;
        // What is lost in the end would be awaited for long.
        let limit = (self.scale.span * 3 / 2).as_millis();
        let order = json!({ "size": LARGE, "limit": limit, "cut": true });
        let reply = self.offerer.call("echo", order).await?;
        self.close().await?;
        let (seconds, bytes) = taken(&reply)?;
        Ok(figures([("p50", times.p50), ("p99", times.p99), ("megabytes-per-second", bytes / 1e6 / seconds)]))
    }

    /// So many connections, all of them.
    async fn crowd(&self, number: usize) -> Result<Crowd> {
        let crowd = Crowd::gather(&self.target.url, number, self.scale.crowd).await?;
        let (up, within) = (crowd.len(), self.scale.crowd.as_secs());
        ensure!(up == number, "only {up} of {number} connections came up within {within} s");
        Ok(crowd)
    }

    async fn open(&mut self, label: &str) -> Result<Value> {
        self.offerer.call("open", json!({ "url": self.target.url, "label": label })).await
    }

    async fn warm_up(&mut self) -> Result<Value> {
        self.offerer.call("roundtrip", trips(self.scale.warm_up)).await
    }

    async fn close(&mut self) -> Result<Value> {
        self.offerer.call("close", json!({})).await
    }
}

/// Round trips for so long.
fn trips(limit: Duration) -> Value {
    json!({ "size": SMALL, "limit": limit.as_millis() })
}

/// What `cargo xtask bench overhead` measures, by a program of its own, since that has its own server and browser.
async fn in_a_page(turns: u32) -> Result<Figures> {
    let output = Command::new(env::current_exe()?)
        .args(["overhead", "--json", "--rounds", &turns.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(output.status.success(), "`cargo xtask bench overhead` failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Does some work, and says what it cost the answerer.
async fn cost<T>(target: &Target, work: impl Future<Output = Result<T>>) -> Result<(T, Cost)> {
    let process = &target.process;
    let (cpu, switches, begun) = (process.cpu_time()?, process.switches()?, Instant::now());
    let done = work.await?;
    let cost = Cost {
        took: begun.elapsed(),
        cpu: process.cpu_time()?.saturating_sub(cpu),
        switches: process.switches()?.saturating_sub(switches),
    };
    Ok((done, cost))
}

fn speed(reply: &Value, cpu: Duration) -> Result<Figures> {
    let (seconds, bytes) = taken(reply)?;
    let megabytes = bytes / 1e6;
    Ok(figures([
        ("megabytes-per-second", megabytes / seconds),
        ("cpu-per-megabyte", millis(cpu) / megabytes),
    ]))
}

/// The seconds and the bytes of a transfer.
fn taken(reply: &Value) -> Result<(f64, f64)> {
    match (reply["milliseconds"].as_f64(), reply["bytes"].as_f64()) {
        (Some(milliseconds), Some(bytes)) if milliseconds > 0.0 && bytes > 0.0 => {
            Ok((milliseconds / 1e3, bytes))
        }
        _ => bail!("nothing was transferred: {reply}"),
    }
}

fn quantiles(reply: &Value) -> Result<Quantiles> {
    Ok(serde_json::from_value(reply.clone())?)
}

/// From the POST to the open channel, of offerers that tell the two from each other.
fn since_post(reply: &Value) -> Result<Option<Quantiles>> {
    reply.get("post").map(quantiles).transpose()
}

fn figures<const N: usize>(figures: [(&str, f64); N]) -> Figures {
    figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests;
