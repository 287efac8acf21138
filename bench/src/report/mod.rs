//! The report: Markdown and plots from the raw results, and the READMEs' table.

mod comparison;
mod headlines;
mod markdown;
mod plot;
mod quantity;
mod readme;
mod stats;
#[cfg(test)]
mod tests;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xtask::project::Project;

use self::words::Language;
use crate::peers::results::Results;

const FOLDER: &str = "bench/report";

/// The folder of a whole run, or of one that had a part to measure, so that this does not take the place of that.
pub(crate) fn folder(project: &Project, whole: bool) -> PathBuf {
    let folder = project.path(FOLDER);
    if whole { folder } else { folder.join("part") }
}

/// Where the raw results are in a folder.
pub(crate) fn raw(folder: &Path) -> PathBuf {
    folder.join("raw.jsonl")
}

/// Writes everything anew from the raw results in the folder. The READMEs get those of a whole run alone.
pub(crate) fn write(project: &Project, folder: &Path) -> Result<()> {
    let results = Results::read(&raw(folder))?;
    let report = render(&results, folder)?;
    println!("{report}");
    if results.setting.whole {
        for language in Language::ALL {
            let path = project.path(language.readme());
            let text = fs::read_to_string(&path)?;
            fs::write(&path, with_table(&text, &results, language)?)?;
        }
    }
    eprintln!("The report: {}", folder.join("report.md").display());
    Ok(())
}

/// The README in this language with the table of these results.
fn with_table(text: &str, results: &Results, language: Language) -> Result<String> {
    let table = headlines::headlines(results, &comparison::sections(results), language);
    readme::replaced(text, &table).context(language.readme())
}

/// Writes report and plots into the folder.
fn render(results: &Results, folder: &Path) -> Result<String> {
    fs::create_dir_all(folder)?;
    let sections = comparison::sections(results);
    let plots = plot::draw(folder, &results.setting.peers, &sections)?;
    let report = markdown::report(results, &sections, &plots);
    fs::write(folder.join("report.md"), &report)?;
    Ok(report)
}
