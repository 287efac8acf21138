//! How much memory connections take, and what of it stays.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::sleep;

use super::{LARGE, Work, cost, figures, millis, taken};
use crate::peers::{figures::Figures, measure::Scale, offerers::Crowd};

/// How long the memory of closed connections may take to go.
const CLOSED: Duration = Duration::from_secs(2);

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
        Ok(all)
    }

    /// While much is echoed.
    pub(super) async fn growth(&mut self, bytes: usize) -> Result<Figures> {
        let process = &self.target.process;
        self.open("echo").await?;
        self.warm_up().await?;
        process.reset_peak()?;
        let before = process.resident()?;
        let limit = self.scale.growth.as_millis();
        let order = json!({ "size": LARGE, "count": bytes / LARGE, "limit": limit });
        let (_, echoed) = taken(&self.offerer.call("echo", order).await?)?;
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
