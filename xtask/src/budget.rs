//! What the npm package may weigh. Bytes do not wobble: the same sources give the same figures everywhere.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::project::Project;

/// The committed figure.
const BUDGET: &str = "client/budget.toml";

/// The file's content.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// The client: its parts together, each compressed on its own, in bytes.
    gzip: usize,
    /// The element, which comes on top where a page wants it.
    element: usize,
    /// What is loaded for channels that speak the framing.
    framing: usize,
    /// What is loaded for sessions that stay.
    reconnect: usize,
    /// The entry that hands channels to workers.
    worker: usize,
}

/// Weighs the client's parts, prints them in a table, and fails if they are heavier together than the budget.
pub fn check(project: &Project, parts: &[(&str, &Path)]) -> Result<()> {
    compare(parts, read(project)?.gzip)
}

/// The same of the element.
pub fn check_element(project: &Project, element: &Path) -> Result<()> {
    compare(&[("the element", element)], read(project)?.element)
}

/// The same of what is loaded for channels that speak the framing.
pub fn check_framing(project: &Project, parts: &[(&str, &Path)]) -> Result<()> {
    compare(parts, read(project)?.framing)
}

/// The same of what is loaded for sessions that stay.
pub fn check_reconnect(project: &Project, parts: &[(&str, &Path)]) -> Result<()> {
    compare(parts, read(project)?.reconnect)
}

/// The same of what hands channels to workers.
pub fn check_worker(project: &Project, worker: &Path) -> Result<()> {
    compare(&[("worker", worker)], read(project)?.worker)
}

fn read(project: &Project) -> Result<Budget> {
    let budget = fs::read_to_string(project.path(BUDGET)).with_context(|| format!("cannot read {BUDGET}"))?;
    toml::from_str(&budget).with_context(|| format!("{BUDGET} does not fit"))
}

fn compare(parts: &[(&str, &Path)], allowed: usize) -> Result<()> {
    let mut sum = 0;
    eprintln!("{:<12} {:>9} {:>9}", "part", "bytes", "gzip -9");
    for (name, path) in parts {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let weight = weight(&content)?;
        eprintln!("{name:<12} {:>9} {weight:>9}", content.len());
        sum += weight;
    }
    eprintln!("{:<12} {:>9} {sum:>9}   of {allowed} allowed", "together", "");
    ensure!(sum <= allowed, "the package weighs {sum} bytes, and {BUDGET} allows {allowed}");
    Ok(())
}

/// How many bytes a server sends that compresses as well as gzip can.
pub fn weight(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_heavier_than_the_budget_is_refused() {
        let project = Project::find().unwrap();
        let light = project.path(BUDGET);
        check(&project, &[("budget", &light)]).unwrap();
        let heavy = tempfile::NamedTempFile::new().unwrap();
        let noise = (0_u32..200_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes());
        fs::write(heavy.path(), noise.collect::<Vec<u8>>()).unwrap();
        assert!(check(&project, &[("noise", heavy.path())]).unwrap_err().to_string().contains("allows"));
        assert!(check_element(&project, heavy.path()).unwrap_err().to_string().contains("allows"));
    }

    #[test]
    fn what_repeats_itself_is_light() {
        assert!(weight(&"7".repeat(100_000).into_bytes()).unwrap() < 200);
    }
}
