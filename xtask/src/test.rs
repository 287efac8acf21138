//! `cargo xtask test`: every check and every test, one part after the other.

use std::{
    collections::BTreeSet,
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    parts::{Bench, Part},
    project::Project,
};

/// What can be asked of `test`.
#[derive(Args, Clone, Debug)]
pub struct Test {
    /// Run these parts alone, and what they need to be built.
    #[arg(long, value_enum, value_name = "PART", num_args = 1.., value_delimiter = ',')]
    only: Vec<Part>,
    /// Run the remaining parts even if one fails.
    #[arg(long)]
    keep_going: bool,
}

/// Runs the parts and prints how each ended. The exit code is a failure if one failed.
pub fn run(project: &Project, test: &Test) -> Result<ExitCode> {
    let parts = selection(&test.only);
    let reports = project.reports();
    if reports.exists() {
        fs::remove_dir_all(&reports).with_context(|| format!("cannot empty {}", reports.display()))?;
    }
    let bench = Bench::prepare(project, &parts)?;

    let mut results = Vec::new();
    for &part in &parts {
        eprintln!("\n== {part}: {}", part.description());
        let begun = Instant::now();
        let outcome = bench.run(part);
        let took = begun.elapsed();
        let failed = outcome.is_err();
        match outcome {
            Ok(()) => eprintln!("== {part} passed in {}", seconds(took)),
            Err(error) => eprintln!("== {part} FAILED in {}: {error:#}", seconds(took)),
        }
        results.push((part, took, failed));
        if failed && !test.keep_going {
            break;
        }
    }

    let failed = results.iter().filter(|(_, _, failed)| *failed).count();
    if failed > 0 {
        print_reports(project);
    }
    print_summary(&results, parts.len());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The parts to run, in their order: all, or those asked for with what they are built from.
fn selection(only: &[Part]) -> BTreeSet<Part> {
    if only.is_empty() {
        return Part::ALL.into();
    }
    only.iter().flat_map(|part| part.needs()).chain(only).copied().collect()
}

/// What failed tests have left behind.
fn print_reports(project: &Project) {
    let Ok(folders) = fs::read_dir(project.reports()) else { return };
    let files = folders.flatten().filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten();
    let mut paths: Vec<_> = files.map(|file| file.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    if !paths.is_empty() {
        eprintln!("\nScreenshots and logs:");
    }
    for path in paths {
        eprintln!("  {}", path.display());
    }
}

fn print_summary(results: &[(Part, Duration, bool)], selected: usize) {
    eprintln!();
    for (part, took, failed) in results {
        let outcome = if *failed { "FAILED" } else { "passed" };
        eprintln!("  {:<14} {outcome} {:>8}", part.to_string(), seconds(*took));
    }
    println!("{}", summary(results.iter().map(|(_, _, failed)| *failed), selected));
}

fn summary(failures: impl Iterator<Item = bool>, selected: usize) -> String {
    let (failed, passed): (Vec<bool>, Vec<bool>) = failures.partition(|failed| *failed);
    let skipped = selected - failed.len() - passed.len();
    let rest = if skipped > 0 { format!(", {skipped} not run") } else { String::new() };
    format!("{} passed, {} failed{rest}", passed.len(), failed.len())
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_every_part_is_run_in_order() {
        assert!(selection(&[]).into_iter().eq(Part::ALL));
    }

    #[test]
    fn a_part_brings_along_what_it_is_built_from_and_before_it() {
        assert!(selection(&[Part::Interop]).into_iter().eq([Part::Build, Part::Interop]));
        assert!(selection(&[Part::E2e]).into_iter().eq([Part::Build, Part::Embed, Part::E2e]));
        assert!(selection(&[Part::Lint, Part::Format]).into_iter().eq([Part::Format, Part::Lint]));
    }

    #[test]
    fn the_closing_line_counts_parts() {
        assert_eq!(summary([false, false].into_iter(), 2), "2 passed, 0 failed");
        assert_eq!(summary([false, true].into_iter(), 5), "1 passed, 1 failed, 3 not run");
    }
}
