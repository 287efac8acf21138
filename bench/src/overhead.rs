//! What the WebAssembly client costs in a page, against JavaScript by hand: paired, in turns, in one headless Chromium.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::table::Table;

/// The page that works.
const PAGE: &str = "bench/overhead";
/// How often it is asked whether it is done, and how many times.
const LOOK: Duration = Duration::from_millis(500);
const LOOKS: u32 = 1200;
const RESULT: &str = "return { done: window.overhead ?? null, fault: window.fault ?? null }";

/// What can be asked of `overhead`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Overhead {
    /// How often each of the two does the same
    #[arg(long, value_name = "NUMBER", default_value_t = 301)]
    rounds: u32,
    /// Round trips of 64 bytes in a round
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    trips: u32,
    /// MiB that go there and back in a round, in messages of 16 KiB
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    mebibytes: u32,
    /// Print the ratios alone, for a program to read
    #[arg(long)]
    json: bool,
}

/// What the page tells.
#[derive(Debug, Deserialize)]
struct Told {
    done: Option<Rounds>,
    fault: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Rounds {
    small: Measured,
    large: Measured,
}

/// Milliseconds of each round: of the client, by hand, and by hand once more.
#[derive(Debug, Deserialize)]
struct Measured {
    client: Vec<f64>,
    hand: Vec<f64>,
    again: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn run(overhead: &Overhead) -> Result<()> {
    let Overhead { rounds, trips, mebibytes, json } = *overhead;
    let bytes = u64::from(mebibytes) << 20;
    let measured = async |stage: &mut Stage| {
        let site = Site::of(PAGE, &stage.url()).await?;
        stage.allow_origin(&site.origin())?;
        let query = format!("?rounds={rounds}&trips={trips}&bytes={bytes}");
        stage.page.open(&site.page(&query)).await?;
        for _ in 0..LOOKS {
            let looked = serde_json::from_value(stage.page.run(RESULT).await?)?;
            match looked {
                Told { done: Some(done), .. } => {
                    if json {
                        println!("{}", figures(&done));
                    } else {
                        print(&done, overhead);
                    }
                    return Ok(());
                }
                Told { fault: Some(fault), .. } => bail!("the page failed: {fault}"),
                Told { .. } => tokio::time::sleep(LOOK).await,
            }
        }
        bail!("the page does not come to an end")
    };
    in_browser(Browser::Chromium, "en", measured)
}

fn print(Rounds { small, large }: &Rounds, overhead: &Overhead) {
    let Overhead { rounds, trips, mebibytes, .. } = overhead;
    println!("## The client in a page against JavaScript by hand, {rounds} rounds each in turns\n");
    let table = Table::new(&["task", "client", "by hand", "client / by hand", "by hand once more / by hand"]);
    let trip = |pair: &[f64]| format!("{:.1} µs", median(pair) / f64::from(*trips) * 1e3);
    table.row(&[
        &format!("a round trip of 64 bytes ({trips} a round)"),
        &trip(&small.client),
        &trip(&small.hand),
        &ratio(&small.client, &small.hand),
        &ratio(&small.again, &small.hand),
    ]);
    let rate = |pair: &[f64]| format!("{:.1} MiB/s", f64::from(*mebibytes) / median(pair) * 1e3);
    table.row(&[
        &format!("{mebibytes} MiB there and back in messages of 16 KiB, as time"),
        &rate(&large.client),
        &rate(&large.hand),
        &ratio(&large.client, &large.hand),
        &ratio(&large.again, &large.hand),
    ]);
}

/// The figures for the report of the comparison.
fn figures(Rounds { small, large }: &Rounds) -> Value {
    let middle = |one: &[f64], other: &[f64]| quartiles(one, other)[1];
    json!({
        "trips": middle(&small.client, &small.hand),
        "trips-again": middle(&small.again, &small.hand),
        "transfer": middle(&large.client, &large.hand),
        "transfer-again": middle(&large.again, &large.hand),
    })
}

/// How much longer one takes than the other, pair by pair: the median of all, and its quartiles.
fn ratio(one: &[f64], other: &[f64]) -> String {
    let [first, middle, third] = quartiles(one, other);
    format!("{middle:.3} ({first:.3} to {third:.3})")
}

fn quartiles(one: &[f64], other: &[f64]) -> [f64; 3] {
    let ratios = sorted(one.iter().zip(other).map(|(one, other)| one / other));
    [1, 2, 3].map(|quarter| ratios.get(ratios.len() * quarter / 4).copied().unwrap_or(f64::NAN))
}

/// The value in the middle.
fn median(values: &[f64]) -> f64 {
    sorted(values.iter().copied()).get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_compared_one_by_one() {
        let (client, hand) = ([10.0, 30.0, 21.0], [10.0, 20.0, 20.0]);
        assert_eq!(ratio(&client, &hand), "1.050 (1.000 to 1.500)");
        assert!((median(&client) - 21.0).abs() < f64::EPSILON);
    }
}
