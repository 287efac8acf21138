//! What the WebAssembly client costs in a page, against JavaScript by hand: paired, in turns, in one headless Chromium.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use hola_webrtc_e2e::{Browser, Site, Stage, in_browser};
use serde::Deserialize;

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
    #[arg(long, value_name = "NUMBER", default_value_t = 21)]
    rounds: u32,
    /// Round trips of 64 bytes in a round
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    trips: u32,
    /// MiB that go there and back in a round, in messages of 16 KiB
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    mebibytes: u32,
}

/// What the page tells.
#[derive(Debug, Deserialize)]
struct Told {
    done: Option<Rounds>,
    fault: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Rounds {
    small: Pair,
    large: Pair,
}

/// Milliseconds of each round.
#[derive(Debug, Deserialize)]
struct Pair {
    client: Vec<f64>,
    hand: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn run(overhead: &Overhead) -> Result<()> {
    let Overhead { rounds, trips, mebibytes } = *overhead;
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
                    print(&done, overhead);
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
    let Overhead { rounds, trips, mebibytes } = overhead;
    println!("## The client in a page against JavaScript by hand, {rounds} rounds each in turns\n");
    let table = Table::new(&["task", "client", "by hand", "client / by hand (median of the pairs)"]);
    let trip = |pair: &[f64]| format!("{:.1} µs", median(pair) / f64::from(*trips) * 1e3);
    table.row(&[
        &format!("a round trip of 64 bytes ({trips} a round)"),
        &trip(&small.client),
        &trip(&small.hand),
        &small.ratio(),
    ]);
    let rate = |pair: &[f64]| format!("{:.1} MiB/s", f64::from(*mebibytes) / median(pair) * 1e3);
    table.row(&[
        &format!("{mebibytes} MiB there and back in messages of 16 KiB, as time"),
        &rate(&large.client),
        &rate(&large.hand),
        &large.ratio(),
    ]);
}

impl Pair {
    /// How much longer the client takes, pair by pair.
    fn ratio(&self) -> String {
        let ratios: Vec<f64> =
            self.client.iter().zip(&self.hand).map(|(client, hand)| client / hand).collect();
        let mut sorted = ratios.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |quarter: usize| sorted.get(sorted.len() * quarter / 4).copied().unwrap_or(f64::NAN);
        format!("{:.3} (quartiles {:.3} to {:.3})", median(&ratios), at(1), at(3))
    }
}

/// The value in the middle.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_compared_one_by_one() {
        let pair = Pair { client: vec![10.0, 30.0, 21.0], hand: vec![10.0, 20.0, 20.0] };
        assert_eq!(pair.ratio(), "1.050 (quartiles 1.000 to 1.500)");
        assert!((median(&pair.client) - 21.0).abs() < f64::EPSILON);
    }
}
