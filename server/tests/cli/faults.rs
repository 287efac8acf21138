//! The program on a file system that fails: full, read-only.

use std::{fs, path::Path, process::Stdio};

use crate::common::{
    SOON,
    program::{Program, command},
};
use nix::sys::signal::Signal;
use tokio::{process::Command, time::timeout};

/// A state folder on a file system of its own, as large as a page or two, which exists for one shell only.
///
/// The shell runs the script with the folder as `$1` and the program as `$2`. `None` where the system does not let this
/// process have a file system of its own.
async fn on_a_tiny_disk(script: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=16k,mode=0700 tmpfs \"$1\" || exit 77\n";
    let program = command(&[]).as_std().get_program().to_owned();
    let mut shell = Command::new("unshare");
    shell
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &format!("{mount}{script}"), "sh"])
        .arg(folder.path())
        .arg(program)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let Ok(output) = timeout(SOON, shell.output()).await.expect("it ends in time") else {
        eprintln!("skipped: there is no unshare");
        return None;
    };
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    if output.status.code() == Some(77) || said.contains("unshare: ") {
        eprintln!("skipped: no file system of its own: {said}");
        return None;
    }
    Some(said)
}

#[tokio::test]
async fn on_a_full_disk_there_is_no_half_certificate() {
    let script = r#"
        cat /dev/zero > "$1/ballast" 2>/dev/null
        "$2" --listen=127.0.0.1:0 --log=off --state-dir="$1"
        echo "code $?"
        echo "left: $(ls "$1")"
    "#;
    let Some(said) = on_a_tiny_disk(script).await else { return };
    assert!(said.contains("cannot be kept in"), "{said}");
    assert!(said.contains("No space left on device") && said.contains("--state-dir"), "{said}");
    assert!(said.contains("code 1\n") && said.contains("left: ballast\n"), "{said}");
}

#[tokio::test]
async fn on_a_full_disk_the_last_certificate_stays_in_use() {
    // The name in --announce is one that the last certificate is not for.
    let script = r#"
        run() {
            # What the last run said is not to be taken for this one's, which begins in a process of its own.
            rm -f "$1.out"
            "$2" --listen=127.0.0.1:0 --log=warn --log-format=text --state-dir="$1" $3 > "$1.out" 2> "$1.err" & program=$!
            until grep -q Ctrl-C "$1.out"; do kill -0 $program || break; sleep 0.05; done
            kill $program; wait $program
            echo "code $?, $(grep -o 'SHA-256 .*' "$1.out")"
            cat "$1.err"
        }
        run "$1" "$2"
        before=$(cat "$1"/*.pem | cksum)
        cat /dev/zero > "$1/ballast" 2>/dev/null
        run "$1" "$2" --announce=localhost,192.0.2.77
        # Room for the new key, but not for its certificate.
        truncate --size=-4096 "$1/ballast"
        run "$1" "$2" --announce=localhost,192.0.2.77
        [ "$before" = "$(cat "$1"/*.pem | cksum)" ] && echo "unchanged: $(ls "$1" | tr '\n' ' ')"
    "#;
    let Some(said) = on_a_tiny_disk(script).await else { return };
    let ends: Vec<_> = said.lines().filter(|line| line.starts_with("code 0, SHA-256 ")).collect();
    assert_eq!(ends.len(), 3, "{said}");
    assert!(ends.iter().all(|end| *end == ends[0]), "{said}");
    let warning = "the last certificate stays, for a new one cannot be kept";
    assert_eq!(said.matches(warning).count(), 2, "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("unchanged: ballast certificate.pem key.pem \n"), "{said}");
}

#[tokio::test]
async fn a_folder_that_can_only_be_read_serves_the_certificate_that_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let start = async |announce: &str| {
        let arguments =
            ["--listen=127.0.0.1:0", "--log=off", "--state-dir", state.to_str().unwrap(), announce];
        let mut program = Program::start_with(&arguments).await;
        let report = program.report.clone();
        assert_eq!(program.stop(Signal::SIGTERM).await, Some(0));
        report.split_once("SHA-256 ").unwrap().1.lines().next().unwrap().to_owned()
    };
    let first = start("--announce=127.0.0.1").await;
    let _kept = ReadOnly::make(&state);
    assert_eq!(start("--announce=127.0.0.1").await, first);
}

/// A folder that cannot be written to, until this is dropped. (The superuser can all the same.)
struct ReadOnly<'a>(&'a Path);

impl<'a> ReadOnly<'a> {
    fn make(folder: &'a Path) -> Self {
        set_mode(folder, 0o500);
        Self(folder)
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        set_mode(self.0, 0o700);
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
