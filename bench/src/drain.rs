//! The server is told to stop under load.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;
use tokio::time::{sleep, timeout};

use crate::{
    fleet,
    load::Load,
    server::{LIFTED, Launch},
    table::{Table, seconds},
    traffic::{self, Moment, Outcome, Record},
};

/// When to give up on a server that does not end.
const PATIENCE: Duration = Duration::from_mins(1);

/// What can be asked of `drain`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Drain {
    #[command(flatten)]
    load: Load,
    /// When the server is told to stop
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    after: Duration,
}

/// Measures and prints.
pub(crate) async fn run(launch: &Launch, drain: &Drain) -> Result<()> {
    let Drain { load, after } = drain;
    let offerer = fleet::offerer()?;
    let mut server = launch.start(&LIFTED).await?;
    let fleet = fleet::launch(&offerer, &server.url, load.connections).await?;
    let (record, moment) = (Record::new()?, Moment::default());
    let talks = traffic::start(&fleet, load.pace(), *after + PATIENCE, &record, &moment);
    sleep(*after).await;

    let told = Instant::now();
    Arc::clone(&moment).get_or_init(|| told);
    server.terminate()?;
    let talking = async {
        let outcomes = talks.join_all().await;
        (outcomes, told.elapsed())
    };
    let ending = async {
        let status = timeout(PATIENCE, server.ended()).await.context("the server does not end")??;
        anyhow::Ok((status, told.elapsed()))
    };
    let ((outcomes, heard), ended) = tokio::join!(talking, ending);
    let (status, took) = ended?;

    let all = outcomes.iter().copied().fold(Outcome::default(), Outcome::and);
    let unanswered: u64 = outcomes.iter().map(|it| it.sent_before.saturating_sub(it.echoed)).sum();
    let complete = outcomes.iter().filter(|it| it.echoed >= it.sent_before).count();
    println!("## SIGTERM after {} of: {}\n", seconds(*after), load.title());
    let table = Table::new(&["connections", "saw the close", "had every echo of what they sent before"]);
    table.row(&[&outcomes.len(), &all.closed, &complete]);
    println!();
    let table = Table::new(&[
        "sent before the signal",
        "of them not echoed",
        "sent after it",
        "echoed in all",
        "wrong",
    ]);
    table.row(&[&all.sent_before, &unanswered, &(all.sent - all.sent_before), &all.echoed, &all.wrong]);
    println!();
    let table = Table::new(&["last close seen after", "server ended after", "exit"]);
    table.row(&[&seconds(heard), &seconds(took), &status]);
    Ok(())
}
