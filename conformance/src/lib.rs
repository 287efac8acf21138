//! Checks whether a server keeps to the wire profile (`docs/profile.md`), by asking it over the network.
//!
//! Each [`Check`] has a name and the section of the profile that it reads. What the profile leaves to the server, and
//! it does not offer, is told apart from what is broken.

mod begin;
mod end;
mod faults;
mod later;
mod origins;
mod probe;
mod reasons;
mod response;
mod verdict;
mod watch;

use std::time::Duration;

use anyhow::Result;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

pub use probe::{Probe, Target};
pub use verdict::{Fault, Verdict};

/// How long one check may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One thing that the profile says.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// The heading in `docs/profile.md` beneath which it stands.
    pub section: &'static str,
    run: for<'a> fn(&'a Probe) -> BoxFuture<'a, Verdict>,
}

impl Check {
    const fn new(
        section: &'static str,
        name: &'static str,
        run: for<'a> fn(&'a Probe) -> BoxFuture<'a, Verdict>,
    ) -> Self {
        Self { name, section, run }
    }
}

/// How a check ended.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// What was found.
    pub verdict: Verdict,
}

impl Finding {
    /// Whether the server breaks the profile.
    pub fn is_broken(&self) -> bool {
        matches!(self.verdict, Err(Fault::Broken(_)))
    }
}

/// Every check, in the order of the profile.
pub fn checks() -> impl Iterator<Item = Check> {
    [
        begin::CHECKS,
        later::CHECKS,
        watch::CHECKS,
        end::CHECKS,
        origins::CHECKS,
        faults::CHECKS,
        reasons::CHECKS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Runs every check against the server, one after the other, and tells of each as it ends.
///
/// # Errors
///
/// If this side cannot even begin: the URL is none, or there is no socket.
pub async fn run(target: &Target, mut tell: impl FnMut(&Finding)) -> Result<Vec<Finding>> {
    let probe = Probe::new(target).await?;
    let mut findings = Vec::new();
    for check in checks() {
        let verdict = timeout(PATIENCE, (check.run)(&probe))
            .await
            .unwrap_or_else(|_| Err(Fault::Broken(format!("no end within {} s", PATIENCE.as_secs()))));
        let finding = Finding { check, verdict };
        tell(&finding);
        findings.push(finding);
    }
    Ok(findings)
}
