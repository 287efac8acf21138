//! Many connections that send a little all the time.

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;

use crate::{
    fleet,
    proc::{Cpu, Process},
    server::{LIFTED, Launch},
    table::{Table, mib, millis, seconds},
    traffic::{self, Moment, Outcome, Pace, Record, Times},
};

/// What can be asked of `load`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How many connections
    #[arg(long, value_name = "NUMBER", default_value_t = 500)]
    pub(crate) connections: usize,
    /// How many messages each sends a second
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    pub(crate) rate: u32,
    /// Their size in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    pub(crate) size: usize,
    /// For how long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) time: Duration,
}

impl Load {
    pub(crate) fn pace(&self) -> Pace {
        Pace { per_second: self.rate, size: self.size }
    }

    /// The load in words.
    pub(crate) fn title(&self) -> String {
        let Self { connections, rate, size, time } = self;
        format!("{connections} connections, {rate} messages/s each, {size} bytes, {}", seconds(*time))
    }
}

/// Measures and prints.
pub(crate) async fn run(launch: &Launch, load: &Load) -> Result<()> {
    let offerer = fleet::offerer()?;
    let server = launch.start(&LIFTED).await?;
    let fleet = fleet::launch(&offerer, &server.url, load.connections).await?;
    let (record, this) = (Record::new()?, Process::this());

    let (begun, of_server, of_load) = (Instant::now(), server.process.cpu()?, this.cpu()?);
    let talks = traffic::start(&fleet, load.pace(), load.time, &record, &Moment::default());
    let outcome = talks.join_all().await.into_iter().fold(Outcome::default(), Outcome::and);
    let took = begun.elapsed();
    let (of_server, of_load) = (server.process.cpu()?.since(of_server), this.cpu()?.since(of_load));

    println!("## {}\n", load.title());
    let table = Table::new(&["sent", "echoed", "lost", "wrong", "closed", "messages/s", "server resident"]);
    table.row(&[
        &outcome.sent,
        &outcome.echoed,
        &(outcome.sent - outcome.echoed),
        &outcome.wrong,
        &outcome.closed,
        &format!("{:.0}", outcome.echoed as f64 / took.as_secs_f64()),
        &mib(server.process.resident()?),
    ]);
    println!();
    print_times(&record);
    println!();
    print_cpu(took, outcome.echoed, [("server", of_server), ("load", of_load)]);
    Ok(())
}

fn print_times(record: &Record) {
    let table = Table::new(&["", "p50", "p90", "p99", "p99.9", "max"]);
    let row = |name: &str, times: &Times| {
        let at = |quantile| millis(times.at(quantile));
        table.row(&[&name, &at(0.5), &at(0.9), &at(0.99), &at(0.999), &millis(times.max())]);
    };
    row("round trip, from when the message was sent", &record.round_trip);
    row("the same, from when it was due", &record.since_due);
    row("of that, the load's own delay (its timers have 1 ms)", &record.lateness);
}

fn print_cpu(took: Duration, echoed: u64, processes: [(&str, Cpu); 2]) {
    let table = Table::new(&["CPU", "user", "system", "of one core", "per message and echo"]);
    for (name, cpu) in processes {
        let share = cpu.total().as_secs_f64() / took.as_secs_f64();
        let each = cpu.total().as_secs_f64() * 1e6 / echoed.max(1) as f64;
        table.row(&[
            &name,
            &seconds(cpu.user),
            &seconds(cpu.system),
            &format!("{:.0} %", share * 100.0),
            &format!("{each:.1} us"),
        ]);
    }
}
