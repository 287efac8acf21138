//! Offers that never connect.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clap::Args;
use futures_util::{StreamExt, stream};
use hola_webrtc_offerer::{ConnectOptions, Offerer};
use hola_webrtc_protocol::{Problem, SessionDescription, signal};
use hyper::{Request, header};
use tokio::time::sleep;

use crate::{
    fleet,
    server::{LIFTED, Launch, Server},
    table::{Table, mib, seconds},
};

/// How many requests are under way at the same time.
const AT_ONCE: usize = 64;

/// How often the server is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long what the offers left may take to go.
const FADE: Duration = Duration::from_mins(1);

/// What can be asked of `flood`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Flood {
    /// How many offers
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    offers: usize,
}

/// Measures and prints: once with the server's own limits, once with those of one address lifted.
pub(crate) async fn run(launch: &Launch, flood: &Flood) -> Result<()> {
    println!("## {} offers that never connect, from one address\n", flood.offers);
    let table = Table::new(&[
        "limits",
        "replies",
        "took",
        "offers/s",
        "most sessions",
        "resident before",
        "peak",
        "server CPU",
        "none left after",
        "resident then",
        "a client connects",
    ]);
    measure(launch, flood, "by default", &[], &table).await?;
    measure(launch, flood, "of an address lifted", &LIFTED[1..], &table).await
}

async fn measure(
    launch: &Launch,
    flood: &Flood,
    name: &str,
    arguments: &[&str],
    table: &Table,
) -> Result<()> {
    let offerer = fleet::offerer()?;
    let server = launch.start(arguments).await?;
    drop(fleet::launch(&offerer, &server.url, 1).await?);
    faded(&server, &offerer).await?;
    let (before, cpu) = (server.process.resident()?, server.process.cpu()?);

    let most = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let watching = async {
        loop {
            let sessions = server.sessions(offerer.http()).await.unwrap_or_default();
            most.fetch_max(sessions, Ordering::Relaxed);
            sleep(LOOK).await;
        }
    };
    let replies = tokio::select! {
        replies = post_all(&server, &offerer, flood.offers) => replies?,
        () = watching => bail!("the server is no longer watched"),
    };
    let took = begun.elapsed();
    let fading = faded(&server, &offerer).await?;
    // The rate of one address is used up for a moment.
    let connects = connects_within(&server, &offerer, FADE).await?;
    let replies: Vec<String> = replies.iter().map(|(reply, number)| format!("{number} x {reply}")).collect();
    table.row(&[
        &name,
        &replies.join(", "),
        &seconds(took),
        &format!("{:.0}", flood.offers as f64 / took.as_secs_f64()),
        &most.load(Ordering::Relaxed),
        &mib(before),
        &mib(server.process.peak()?),
        &seconds(server.process.cpu()?.since(cpu).total()),
        &seconds(fading),
        &mib(server.process.resident()?),
        &format!("after {}", seconds(connects)),
    ]);
    Ok(())
}

/// Posts so many offers; how often each reply came.
async fn post_all(server: &Server, offerer: &Offerer, offers: usize) -> Result<BTreeMap<String, usize>> {
    let offer = offerer.offer(Ipv4Addr::LOCALHOST.into(), &ConnectOptions::default())?.sdp();
    let body = Bytes::from(serde_json::to_vec(&SessionDescription::offer(offer))?);
    let post = |_| async {
        let request = Request::post(format!("{}{}", server.url, signal::OFFER_PATH))
            .header(header::CONTENT_TYPE, signal::JSON)
            .body(body.clone());
        let Ok(request) = request else { return "no request".to_owned() };
        match offerer.http().send(request).await {
            Ok(reply) => match serde_json::from_slice::<Problem>(reply.body()) {
                Ok(problem) => format!("{} {}", problem.status, problem.title),
                Err(_) => reply.status().as_u16().to_string(),
            },
            Err(_) => "no reply".to_owned(),
        }
    };
    let mut replies = BTreeMap::new();
    let mut posts = stream::iter(0..offers).map(post).buffer_unordered(AT_ONCE);
    while let Some(reply) = posts.next().await {
        *replies.entry(reply).or_default() += 1;
    }
    Ok(replies)
}

/// Waits until the server has no session, and says how long that took.
async fn faded(server: &Server, offerer: &Offerer) -> Result<Duration> {
    let begun = Instant::now();
    while server.sessions(offerer.http()).await? > 0 {
        if begun.elapsed() > FADE {
            bail!("sessions are left {} after the last offer", seconds(FADE));
        }
        sleep(LOOK).await;
    }
    Ok(begun.elapsed())
}

/// How long it takes until a client gets in.
async fn connects_within(server: &Server, offerer: &Offerer, time: Duration) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        match fleet::launch(offerer, &server.url, 1).await {
            Ok(_) => return Ok(begun.elapsed()),
            Err(error) if begun.elapsed() > time => return Err(error).context("nobody gets in any more"),
            Err(_) => sleep(LOOK).await,
        }
    }
}
