//! The unit of systemd, as systemd reads it.

use std::{
    fs,
    io::{self, Write},
    process::Command,
};

const UNIT: &str = include_str!("../../../contrib/hola-webrtc.service");
const NAME: &str = "hola-webrtc.service";
/// Where the unit has the program.
const INSTALLED: &str = "/usr/local/bin/hola-webrtc";

/// What systemd has to say of the unit, in lines, if it is there. Of the host's own units it may say more.
fn complaints(unit: &str) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(NAME);
    fs::write(&file, unit).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&file).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let lines = String::from_utf8_lossy(&said).lines().map(str::to_owned).collect::<Vec<_>>();
    Some(lines.into_iter().filter(|line| line.contains(NAME)).collect())
}

#[test]
fn systemd_has_no_complaint_about_the_unit_but_about_each_mistake() {
    let unit = UNIT.replace(INSTALLED, env!("CARGO_BIN_EXE_hola-webrtc"));
    let Some(none) = complaints(&unit) else {
        // Not by a macro: the harness keeps to itself what these print in tests that pass.
        io::stderr().write_all(b"SKIPPED: systemd-analyze is missing, nobody reads the unit\n").unwrap();
        return;
    };
    assert!(none.is_empty(), "{none:#?}");
    for (right, wrong) in [
        ("ProtectSystem=strict", "ProtectSystem=strictly"),
        ("WatchdogSec=", "WatchDogSec="),
        (env!("CARGO_BIN_EXE_hola-webrtc"), "/nowhere/hola-webrtc"),
    ] {
        assert!(unit.contains(right), "{right}");
        assert!(!complaints(&unit.replace(right, wrong)).unwrap().is_empty(), "{wrong} is passed over");
    }
}
