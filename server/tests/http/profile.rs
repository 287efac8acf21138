//! What `docs/profile.md` promises, the server keeps.

use std::collections::BTreeMap;

use crate::common::program::Program;
use hola_webrtc_server::{ChannelClosed, Closed, ProblemCode};

const PROFILE: &str = include_str!("../../../docs/profile.md");

/// The rows of the table with these columns, each as its cells.
fn table(columns: &str) -> Vec<Vec<&'static str>> {
    let lines = PROFILE.lines().skip_while(|line| *line != columns).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect()
}

#[test]
fn every_fault_of_a_request_is_listed_with_its_status() {
    let listed: BTreeMap<_, _> =
        table("| status | code | when | headers |").iter().map(|row| (row[1], row[0])).collect();
    let name = |code: &ProblemCode| serde_json::to_value(code).unwrap().as_str().unwrap().to_owned();
    for code in ProblemCode::ALL {
        assert_eq!(listed.get(&*name(code)), Some(&&*code.status().to_string()), "{code:?}");
    }
    assert_eq!(listed.len(), ProblemCode::ALL.len());
}

#[test]
fn every_refusal_that_passes_says_when_to_come_again() {
    for row in table("| status | code | when | headers |") {
        assert_eq!(row[3] == "Retry-After", matches!(row[0], "429" | "503"), "{row:?}");
    }
}

#[test]
fn every_reason_for_an_end_is_listed() {
    let sections: Vec<&str> = PROFILE.split("| reason | when |").collect();
    let reasons = |section: &'static str| -> Vec<&str> {
        let rows = section.lines().skip(2).take_while(|line| line.starts_with("| `"));
        rows.map(|row| row.split('`').nth(1).unwrap()).collect()
    };
    let names: Vec<_> = Closed::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(reasons(sections[1]), names);
    assert_eq!(reasons(sections[2]), ChannelClosed::ALL.map(ChannelClosed::as_str));
}

/// Runs the commands of the page, one after the other, against the program. Needs `curl`.
#[cfg(unix)]
#[tokio::test]
async fn the_commands_work() {
    let program = Program::start(&["--check-timeout=10m", "--open-timeout=10m"]).await;
    let blocks = PROFILE.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```\n").next().unwrap());
    let script =
        blocks.collect::<Vec<_>>().join("\n").replace("localhost:8443", &program.address.to_string());
    assert!(script.matches("curl ").count() > 10);
    let folder = tempfile::tempdir().unwrap();
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-euc", &script]).current_dir(folder.path()).kill_on_drop(true);
    let run = tokio::time::timeout(crate::common::SOON, shell.output()).await.unwrap().unwrap();
    let (output, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{output}\n{errors}");
    for expected in ["m=application", "rel=\"monitor\"", "a=ice-pwd:", "id: 0", "\"step\":\"6e\"", "ready"] {
        assert!(output.contains(expected), "{expected} is missing in {output}");
    }
}
