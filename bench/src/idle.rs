//! Memory of connections that do nothing, in waves.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use futures_util::future::join_all;
use hola_webrtc_offerer::Message;
use tokio::time::{sleep, timeout};

use crate::{
    fleet,
    proc::Process,
    server::{LIFTED, Launch},
    table::{Table, mib, seconds},
};

/// How long an echo may take.
const ECHO: Duration = Duration::from_secs(30);

/// What can be asked of `idle`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Idle {
    /// How many connections
    #[arg(long, value_name = "NUMBER", default_value_t = 2000)]
    connections: usize,
    /// How often they come and go
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    waves: usize,
    /// How long to wait before memory is read
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    settle: Duration,
    /// The largest message the server takes, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 65_536)]
    message_size: u32,
}

/// Measures and prints.
pub(crate) async fn run(launch: &Launch, idle: &Idle) -> Result<()> {
    let &Idle { connections, waves, settle, message_size } = idle;
    let offerer = fleet::offerer()?;
    let size = format!("--max-message-size={message_size}");
    let server = launch.start(&[&LIFTED[..], &[&size]].concat()).await?;
    // One comes and goes first, so that what is made but once does not count.
    drop(fleet::launch(&offerer, &server.url, 1).await?);
    sleep(settle).await;
    let start = server.process.resident()?;

    println!("## {connections} idle connections, messages of up to {message_size} bytes\n");
    println!("Resident before: {}.\n", server.process.resident_parts()?);
    let table = Table::new(&[
        "wave",
        "before",
        "connected in",
        "resident",
        "per connection",
        "server CPU idle, per second",
        "echoed",
        "resident after echo",
        "20 s after the close",
        "of the start",
    ]);
    for wave in 1..=waves {
        let before = server.process.resident_parts()?;
        let begun = Instant::now();
        let fleet = fleet::launch(&offerer, &server.url, connections).await?;
        let took = begun.elapsed();
        sleep(settle).await;
        let resident = server.process.resident()?;
        let per_connection = resident.saturating_sub(start) / connections.max(1) as u64;

        let (begun, cpu) = (Instant::now(), server.process.cpu()?);
        sleep(settle).await;
        let idling = server.process.cpu()?.since(cpu).total().as_secs_f64() / begun.elapsed().as_secs_f64();

        let message = Message::from(vec![1; 200]);
        let echo = |ship: &fleet::Ship| {
            let (channel, message) = (ship.channel.clone(), message.clone());
            async move {
                let sent = channel.send(message.clone()).await.is_ok();
                sent && timeout(ECHO, channel.receive()).await == Ok(Some(message))
            }
        };
        let echoed = join_all(fleet.iter().map(echo)).await.into_iter().filter(|echoed| *echoed).count();
        sleep(settle).await;
        let echoing = server.process.resident()?;
        drop(fleet);
        sleep(Duration::from_secs(20)).await;
        let (after, parts) = (server.process.resident()?, server.process.resident_parts()?);
        table.row(&[
            &wave,
            &before,
            &seconds(took),
            &mib(resident),
            &format!("{per_connection} KiB"),
            &format!("{:.0} ms", idling * 1e3),
            &format!("{echoed} of {connections}"),
            &mib(echoing),
            &parts,
            &format!("{} %", after * 100 / start.max(1)),
        ]);
        ensure!(server.process.files().is_ok(), "the server is gone");
    }
    println!("\nPeak {}; the generator had {}.", mib(server.process.peak()?), mib(Process::this().peak()?));
    Ok(())
}
