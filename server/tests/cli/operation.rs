//! The program as its operator meets it: signals, the service manager, the log, the metrics.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use crate::common::{
    SOON, exchange_over,
    program::{Program, command, connect, run},
    request,
};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixDatagram,
    time::{sleep, timeout},
};

/// Two pairs of PEM files.
async fn pairs() -> [TempDir; 2] {
    // The program makes them.
    [Program::start(&[]).await.state, Program::start(&[]).await.state]
}

fn copy(from: &TempDir, to: &Path) -> (PathBuf, PathBuf) {
    let files = ["certificate.pem", "key.pem"].map(|name| {
        fs::copy(from.path().join(name), to.join(name)).unwrap();
        to.join(name)
    });
    files.into()
}

/// The certificate that the program shows to a new connection.
async fn shown(program: &Program) -> Vec<u8> {
    crate::common::program::certificate(program.address).await
}

#[tokio::test]
async fn told_to_reload_it_shows_the_new_certificate_and_drops_nobody() {
    let [one, other] = pairs().await;
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = copy(&one, folder.path());
    let arguments = [
        "--listen=127.0.0.1:0",
        "--log=off",
        "--cert",
        cert.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
    ];
    let mut program = Program::start_with(&arguments).await;
    let first = shown(&program).await;
    let mut kept = connect(program.address, &cert, "http/1.1").await;

    copy(&other, folder.path());
    program.signal(Signal::SIGHUP);
    let changed = async {
        while shown(&program).await == first {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, changed).await.expect("the new certificate is shown");
    let second = shown(&program).await;
    let stream = connect(program.address, &other.path().join("certificate.pem"), "http/1.1").await;
    assert_eq!(exchange_over(stream, &request("GET /healthz", &[], "")).await.status, 200);

    kept.write_all(&request("GET /healthz", &[], "")).await.unwrap();
    let mut reply = String::new();
    kept.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");

    fs::write(&cert, "half a certifi").unwrap();
    program.signal(Signal::SIGHUP);
    // Both signals are dealt with in turn.
    assert_eq!(shown(&program).await, second);
    assert_eq!(program.stop(Signal::SIGTERM).await, Some(0));
}

/// The messages of the program to its service manager, each a line.
struct Manager {
    socket: UnixDatagram,
    lines: VecDeque<String>,
}

impl Manager {
    async fn next(&mut self) -> String {
        while self.lines.is_empty() {
            let mut message = [0; 4096];
            let length = timeout(SOON, self.socket.recv(&mut message)).await.expect("a message").unwrap();
            let message = std::str::from_utf8(&message[..length]).unwrap();
            self.lines.extend(message.lines().map(str::to_owned));
        }
        self.lines.pop_front().unwrap()
    }

    /// Waits for a line that begins like this and returns the rest.
    async fn wait_for(&mut self, beginning: &str) -> String {
        loop {
            if let Some(rest) = self.next().await.strip_prefix(beginning) {
                return rest.to_owned();
            }
        }
    }
}

#[tokio::test]
async fn the_service_manager_is_told_of_every_turn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let mut manager = Manager { socket: UnixDatagram::bind(&path).unwrap(), lines: VecDeque::new() };
    let state = format!("--state-dir={}", folder.path().join("state").display());
    let mut command = command(&["--listen=127.0.0.1:0", "--log=off", &state]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut program = Program::up(command).await;

    assert_eq!(manager.next().await, "READY=1");
    // More than once.
    manager.wait_for("WATCHDOG=1").await;
    manager.wait_for("STATUS=0 sessions").await;
    manager.wait_for("WATCHDOG=1").await;

    program.signal(Signal::SIGHUP);
    manager.wait_for("RELOADING=1").await;
    let time: u64 = manager.wait_for("MONOTONIC_USEC=").await.parse().unwrap();
    assert!(time > 0);
    manager.wait_for("READY=1").await;

    assert_eq!(program.stop(Signal::SIGTERM).await, Some(0));
    manager.wait_for("STOPPING=1").await;
}

#[tokio::test]
async fn each_line_of_the_json_log_is_json() {
    let folder = tempfile::tempdir().unwrap();
    let state = format!("--state-dir={}", folder.path().join("state").display());
    let mut command = command(&["--listen=127.0.0.1:0", "--log-format=json", &state]);
    command.stderr(Stdio::piped());
    let mut program = Program::up(command).await;
    assert_eq!(program.stop(Signal::SIGTERM).await, Some(0));
    let mut log = String::new();
    program.child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
    assert_json(&log, "every session has ended");

    let (code, _, log) = run(&["--log-format=json", "--announce=nobody.invalid", &state]).await;
    assert_eq!(code, Some(1));
    assert_json(&log, "the name nobody.invalid of --announce");
}

fn assert_json(log: &str, message: &str) {
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{log}");
    let says =
        |line: &serde_json::Value| line["message"].as_str().is_some_and(|text| text.starts_with(message));
    assert!(lines.iter().any(says), "{log}");
}

#[tokio::test]
async fn the_metrics_are_there_for_those_who_may_read_them() {
    for (flag, status) in [("--metrics=local", 200), ("--metrics=public", 200), ("--metrics=off", 404)] {
        let program = Program::start(&[flag]).await;
        let stream = program.connect("http/1.1").await;
        let reply = exchange_over(stream, &request("GET /metrics", &[], "")).await;
        assert_eq!(reply.status, status, "{flag}");
        if status == 200 {
            assert!(reply.header("content-type").unwrap().starts_with("application/openmetrics-text"));
            assert!(reply.text().contains("\nhola_webrtc_sessions{state=\"open\"} 0\n"), "{}", reply.text());
            assert!(reply.text().ends_with("# EOF\n"));
        }
    }
    let program = Program::start(&[]).await;
    let stream = program.connect("http/1.1").await;
    let forwarded = [("x-forwarded-for", "192.0.2.1")];
    let reply = exchange_over(stream, &request("GET /metrics", &forwarded, "")).await;
    assert_eq!(reply.status, 404, "a proxy on this host asks for somebody else");
}

#[tokio::test]
async fn an_announced_name_is_resolved() {
    let program = Program::start(&["--announce=localhost"]).await;
    assert!(
        program.report.contains(&format!("UDP 127.0.0.1:{}", program.address.port())),
        "{}",
        program.report
    );
}

#[tokio::test]
async fn the_allocator_takes_the_programs_settings() {
    let mut command = command(&["--version"]);
    // It says at the end what it ran with, and where that came from.
    command.env("_RJEM_MALLOC_CONF", "stats_print:true,stats_print_opts:J");
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let output = timeout(SOON, child.wait_with_output()).await.expect("it ends").unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    let settings = &report["jemalloc"]["opt"];
    assert_eq!(settings["dirty_decay_ms"], 1000);
    assert_eq!(settings["tcache_max"], 4096);
    assert_eq!(settings["tcache_nslots_small_max"], 8);
    assert_eq!(settings["background_thread"], true);
}
