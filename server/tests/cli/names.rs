//! Names that come to stand for other addresses while the program runs.

use std::{fs, process::Stdio};

use crate::common::{
    OFFER, SOON, exchange_over,
    program::{Program, command, shake_hands},
    request,
};
use nix::sys::signal::Signal;
use tokio::{
    net::TcpStream,
    process::Command,
    time::{Duration, sleep, timeout},
};

/// Whether this process may have a list of hosts of its own.
async fn may_mount() -> bool {
    let mount = "mount --bind /etc/hosts /etc/hosts";
    let mut shell = Command::new("unshare");
    shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", mount]).stdin(Stdio::null());
    let may = shell.output().await.is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("skipped: no file system of its own, so the names of hosts cannot be changed");
    }
    may
}

/// The addresses that an answer names.
async fn announced(program: &Program) -> Vec<String> {
    let stream = TcpStream::connect(program.address).await.unwrap();
    let stream = shake_hands(stream, &program.state.path().join("certificate.pem"), "http/1.1").await;
    let offer = request("POST /offer", &[("content-type", "application/sdp")], OFFER);
    let answer = exchange_over(stream, &offer).await;
    assert_eq!(answer.status, 201);
    let candidates = answer.text().lines().filter(|line| line.starts_with("a=candidate:"));
    candidates.map(|line| line.split(' ').nth(4).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn told_to_reload_answers_name_what_an_announced_name_stands_for_now() {
    if !may_mount().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let state = tempfile::tempdir().unwrap();
    fs::write(&hosts, "192.0.2.1 server.test\n").unwrap();

    let program = command(&[]);
    let mut shell = Command::new("unshare");
    let script = "mount --bind \"$1\" /etc/hosts && shift && exec \"$@\"";
    shell
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(&hosts)
        .arg(program.as_std().get_program())
        .args(["--listen=127.0.0.1:0", "--log=warn", "--announce=server.test", "--state-dir"])
        .arg(state.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let mut program = Program { state, ..Program::up(shell).await };
    assert_eq!(announced(&program).await, ["192.0.2.1"]);

    for (line, expected) in [
        ("192.0.2.2 server.test\n", &["192.0.2.2"][..]),
        ("192.0.2.3 server.test\n2001:db8::3 server.test\n", &["192.0.2.3", "2001:db8::3"]),
    ] {
        fs::write(&hosts, line).unwrap();
        program.signal(Signal::SIGHUP);
        let told = async {
            loop {
                let mut addresses = announced(&program).await;
                addresses.sort_unstable();
                if addresses == expected {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(SOON, told).await.expect("answers name it");
    }
    // A name that nobody has any more changes nothing.
    fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    program.signal(Signal::SIGHUP);
    assert_eq!(announced(&program).await.len(), 2);
    assert_eq!(program.stop(Signal::SIGTERM).await, Some(0));
}
