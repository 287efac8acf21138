//! A whole report of a small sample. Its text is compared with the file `sample.md`; `UPDATE_SAMPLE=1` writes that anew.

use std::{env, fs, path::Path};

use super::{
    comparison,
    headlines::{HEADLINES, headlines},
    render, with_table,
    words::Language,
};
use crate::peers::results::{NOT_TAKEN, Record, Results};

const RAW: &str = include_str!("sample.jsonl");
const SAMPLE: &str = "src/report/sample.md";

#[test]
fn the_report_of_the_sample_is_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let results = Results::parse(RAW).unwrap();
    let report = render(&results, folder.path()).unwrap();
    let sections = comparison::sections(&results);
    let text = format!("{report}\n# README\n\n{}", headlines(&results, &sections, Language::English));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE);
    if env::var_os("UPDATE_SAMPLE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(path).unwrap());
}

#[test]
fn every_picture_that_the_report_shows_is_there_and_names_the_peers() {
    let folder = tempfile::tempdir().unwrap();
    let report = render(&Results::parse(RAW).unwrap(), folder.path()).unwrap();
    let pictures: Vec<&str> = report
        .lines()
        .filter_map(|line| line.strip_prefix("![")?.split_once("](")?.1.strip_suffix(')'))
        .collect();
    assert!(!pictures.is_empty());
    for picture in pictures {
        let svg = fs::read_to_string(folder.path().join(picture)).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("hola-webrtc") && svg.contains("str0m"), "{picture}");
    }
}

#[test]
fn ours_is_compared_with_the_best_of_the_others() {
    let results = Results::parse(RAW).unwrap();
    let sections = comparison::sections(&results);
    let ratio = |measure, figure, number| {
        comparison::find(&sections, "native", measure, figure, number).unwrap().ratio().unwrap()
    };
    assert!((ratio("round-trip", "p50", 0) - 0.75).abs() < 1e-9);
    assert!((ratio("echo", "megabytes-per-second", 16) - 2.0).abs() < 1e-9);
}

#[test]
fn what_a_run_had_no_time_for_is_no_loss_of_that_peer() {
    let results = |failure: &str| {
        let mut results = Results::parse(RAW).unwrap();
        for record in results.records.iter_mut().filter(|it| it.peer == "str0m" && it.measure == "rate") {
            record.figures.clear();
            record.failure = Some(failure.to_owned());
        }
        results
    };
    let written = |results: &Results| {
        let sections = comparison::sections(results);
        let folder = tempfile::tempdir().unwrap();
        (render(results, folder.path()).unwrap(), headlines(results, &sections, Language::English))
    };
    let row = |text: &str| text.lines().find(|line| line.starts_with("| new connections")).map(str::to_owned);

    let (report, table) = written(&results("the offer draws 500"));
    assert!(row(&report).unwrap().contains("| **24.0** | – | – | – |"), "{report}");
    assert!(row(&table).is_some() && !table.contains("cut short"), "{table}");

    let (report, table) = written(&results(NOT_TAKEN));
    assert!(row(&report).unwrap().contains("| not taken | – | – |"), "{report}");
    assert!(row(&table).is_none() && table.contains("cut short"), "{table}");

    // It failed in one round, and there was no time for it in another.
    let mut both = results("the offer draws 500");
    both.records.extend(results(NOT_TAKEN).records.into_iter().filter(Record::is_untaken));
    let (_, table) = written(&both);
    assert!(row(&table).is_some(), "{table}");
}

#[test]
fn the_readme_has_every_row_by_which_the_project_is_judged() {
    let results = Results::parse(RAW).unwrap();
    let table = headlines(&results, &comparison::sections(&results), Language::English);
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), HEADLINES.len(), "{table}");
    // Each with what we have in relation to the best of the others.
    assert!(rows.iter().all(|row| !row.ends_with("– |")), "{table}");
}

#[test]
fn the_readmes_tables_are_those_of_the_last_whole_run() {
    let results = Results::parse(include_str!("../../report/raw.jsonl")).unwrap();
    assert!(results.setting.whole);
    let readmes = [include_str!("../../../README.md"), include_str!("../../../README.es.md")];
    for (language, readme) in Language::ALL.into_iter().zip(readmes) {
        assert_eq!(
            with_table(readme, &results, language).unwrap(),
            readme,
            "`cargo xtask bench report` writes it"
        );
    }
}

#[test]
fn every_row_of_the_readme_has_a_name_in_spanish() {
    let results = Results::parse(RAW).unwrap();
    let sections = comparison::sections(&results);
    let [english, spanish] = Language::ALL.map(|language| headlines(&results, &sections, language));
    let rows = english
        .lines()
        .filter(|line| line.starts_with("| "))
        .zip(spanish.lines().filter(|line| line.starts_with("| ")));
    for (english, spanish) in rows {
        let [english, spanish] = [english, spanish].map(|row| row.split(" (").next().unwrap());
        assert_ne!(english, spanish);
    }
}

#[test]
fn what_was_taken_in_fewer_rounds_says_so() {
    let results = Results::parse(RAW).unwrap();
    let sections = comparison::sections(&results);
    let table = headlines(&results, &sections, Language::English);
    assert!(table.contains("| system calls per message (native, 1 round) |"), "{table}");
    assert!(table.contains("| round trip 64 B, p50, us (native) |"), "{table}");
    let report = render(&results, tempfile::tempdir().unwrap().path()).unwrap();
    assert!(report.contains("| system calls per message (1 round) |"), "{report}");
}
