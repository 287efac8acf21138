//! How much memory connections take, and what of it stays.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hola_webrtc_offerer::{Trust, http::Http};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{LARGE, Work, cost, figures, millis, taken};
use crate::{
    peers::{answerer::Target, figures::Figures, measure::Scale, offerers::Crowd},
    server,
};

/// How long the memory of closed connections may take to go.
const CLOSED: Duration = Duration::from_secs(2);

/// How many are closed at once to see when they are gone.
const AT_ONCE: usize = 20;

/// How often is looked whether closed connections are gone.
const LOOK: Duration = Duration::from_millis(2);

impl Work<'_> {
    /// While many do nothing, and after they are gone, in waves.
    pub(super) async fn idle(&mut self) -> Result<Figures> {
        let Scale { idle, waves, settle, .. } = *self.scale;
        let process = &self.target.process;
        // Some come and go first, so that what is made but once does not count.
        drop(self.crowd(3).await?);
        sleep(settle).await;
        let (start, files) = (process.resident()?, process.files()?);
        let mut all = Figures::new();
        for wave in 1..=waves {
            // With a slow peer fewer do as well.
            let crowd = Crowd::gather(&self.target.url, idle, self.scale.crowd).await?;
            let number = crowd.len() as f64;
            ensure!(number >= 3.0, "no crowd came up within {:?}", self.scale.crowd);
            let each = |kib: u64| kib.saturating_sub(start) as f64 / number;
            sleep(settle).await;
            let resident = each(process.resident()?);
            let resting = async {
                sleep(settle).await;
                Ok(())
            };
            let ((), cost) = cost(self.target, resting).await?;
            drop(crowd);
            sleep(CLOSED).await;
            let after = each(process.resident()?);
            if wave == 1 {
                all.insert("memory-per-connection".to_owned(), resident);
                all.insert("memory-per-closed".to_owned(), after);
                let per_second = millis(cost.cpu) / cost.took.as_secs_f64();
                all.insert("cpu-idle".to_owned(), per_second * 100.0 / number);
                let left = process.files()?.saturating_sub(files);
                all.insert("files-per-closed".to_owned(), left as f64 / number);
            } else if wave == waves {
                all.insert("memory-per-closed-last".to_owned(), after);
            }
        }
        all.extend(self.gone().await?.map(|time| ("gone".to_owned(), millis(time))));
        Ok(all)
    }

    /// How long after a close the connections are gone. They are others than those whose memory was looked at: who is asked
    /// makes use of memory.
    async fn gone(&self) -> Result<Option<Duration>> {
        let entries = Entries::of(self.target).await?;
        let crowd = Crowd::gather(&self.target.url, AT_ONCE, self.scale.crowd).await?;
        let are_seen = entries.count().await? >= entries.before + crowd.len();
        let closed = Instant::now();
        drop(crowd);
        if are_seen { entries.gone(closed).await } else { Ok(None) }
    }

    /// While much is echoed.
    pub(super) async fn growth(&mut self, bytes: usize) -> Result<Figures> {
        let limit = self.scale.growth.as_millis();
        let order = json!({ "size": LARGE, "count": bytes / LARGE, "limit": limit });
        self.grown("echo", order).await
    }

    /// The same, with every buffer full: the offerer sends as much as is taken, and reads nothing at first.
    pub(super) async fn unread(&mut self, bytes: usize) -> Result<Figures> {
        let Scale { growth, unread, .. } = *self.scale;
        let (limit, unread) = (growth.as_millis(), unread.as_millis());
        let order = json!({ "size": LARGE, "count": bytes / LARGE, "limit": limit, "unread": unread });
        self.grown("unread", order).await
    }

    async fn grown(&mut self, operation: &str, order: Value) -> Result<Figures> {
        let process = &self.target.process;
        self.open("echo").await?;
        self.warm_up().await?;
        process.reset_peak()?;
        let before = process.resident()?;
        let (_, echoed) = taken(&self.offerer.call(operation, order).await?)?;
        let peak = process.peak()?.saturating_sub(before);
        sleep(CLOSED).await;
        let after = process.resident()?.saturating_sub(before);
        self.close().await?;
        Ok(figures([
            ("grown-peak", peak as f64 / 1024.0),
            ("grown-after", after as f64 / 1024.0),
            ("echoed", echoed / 1e6),
        ]))
    }
}

/// What a peer has of its connections, as far as it shows from outside.
struct Entries<'a> {
    target: &'a Target,
    /// Asks for the sessions, if the peer counts them itself; else its sockets tell, where each connection has one.
    http: Option<Http>,
    before: usize,
}

impl<'a> Entries<'a> {
    async fn of(target: &'a Target) -> Result<Self> {
        let http = Http::new(Trust::Anyone)?;
        let http = server::sessions(&http, &target.url).await.is_ok().then_some(http);
        let mut entries = Self { target, http, before: 0 };
        entries.before = entries.count().await?;
        Ok(entries)
    }

    async fn count(&self) -> Result<usize> {
        match &self.http {
            Some(http) => Ok(server::sessions(http, &self.target.url).await?.try_into()?),
            None => self.target.process.udp_sockets(),
        }
    }

    /// How long after the close they were gone. `None` if they did not go in time.
    async fn gone(&self, closed: Instant) -> Result<Option<Duration>> {
        while closed.elapsed() < CLOSED {
            if self.count().await? <= self.before {
                return Ok(Some(closed.elapsed()));
            }
            sleep(LOOK).await;
        }
        Ok(None)
    }
}
