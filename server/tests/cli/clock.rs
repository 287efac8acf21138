//! The program on a host whose wall clock is set while it runs: a library in C stands between it and the clock.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use headers::{Date, Header};
use hola_webrtc_offerer::{ConnectOptions, Connection, Message, Offerer, Settings, Trust};
use hyper::{Request, header::DATE};
use nix::sys::signal::Signal;
use tempfile::TempDir;
use time::{Date as Day, Month, OffsetDateTime, Time};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    process::ChildStderr,
    task::JoinHandle,
    time::{Instant, sleep},
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::common::{
    SOON,
    events::EventSource,
    program::{Program, certificate, command, connect_to_whoever},
};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/clock.c");

/// What tells a date that follows the clock from one that does not.
const HOUR: Duration = Duration::from_hours(1);

/// The wall clock of one program.
struct Clock {
    folder: TempDir,
    words: File,
}

impl Clock {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = File::options();
        let words =
            options.read(true).write(true).create_new(true).open(folder.path().join("words")).unwrap();
        words.set_len(16).unwrap();
        let clock = Self { folder, words };
        // Where Rust is, the linker is as well, and with it the compiler of C that it goes by.
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]);
        let compiled = cc.arg(clock.library()).args([SOURCE, "-ldl", "-lpthread"]).status().unwrap();
        assert!(compiled.success());
        clock
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("clock.so")
    }

    /// Sets the clock.
    fn set(&self, now: OffsetDateTime) {
        let shift = i64::try_from((now - OffsetDateTime::from(host_time())).whole_nanoseconds()).unwrap();
        self.words.write_all_at(&shift.to_ne_bytes(), 0).unwrap();
    }

    /// How often a thread was found that waits for the clock to show a time that is far away.
    fn long_waits(&self) -> u64 {
        let mut word = [0; 8];
        self.words.read_exact_at(&mut word, 8).unwrap();
        u64::from_ne_bytes(word)
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock that the program's is told from")]
fn host_time() -> SystemTime {
    SystemTime::now()
}

fn noon(year: i32) -> OffsetDateTime {
    let noon = Time::from_hms(12, 0, 0).unwrap();
    Day::from_calendar_date(year, Month::June, 1).unwrap().with_time(noon).assume_utc()
}

/// The program under such a clock, and who talks to it.
struct Stand {
    clock: Clock,
    program: Program,
    log: JoinHandle<String>,
    offerer: Offerer,
    url: String,
}

impl Stand {
    async fn start(now: OffsetDateTime) -> Self {
        let clock = Clock::make();
        clock.set(now);
        let state = format!("--state-dir={}", clock.folder.path().join("state").display());
        let mut command = command(&["--listen=127.0.0.1:0", "--log=info", "--log-format=json", &state]);
        command.env("LD_PRELOAD", clock.library()).env("CLOCK_SHIFT", clock.folder.path().join("words"));
        command.stderr(Stdio::piped());
        let mut program = Program::up(command).await;
        let log = tokio::spawn(read(program.child.stderr.take().unwrap()));
        let offerer = Offerer::new(Settings { trust: Trust::Anyone, ..Settings::default() }).unwrap();
        let url = format!("https://{}", program.address);
        Self { clock, program, log, offerer, url }
    }

    async fn connect(&self) -> (Connection, hola_webrtc_offerer::Channel) {
        self.offerer.connect(&self.url, &ConnectOptions::default()).await.unwrap()
    }

    async fn get(&self, path: &str) -> hyper::Response<Bytes> {
        let request = Request::get(format!("{}{path}", self.url)).body(Bytes::new()).unwrap();
        self.offerer.http().send(request).await.unwrap()
    }

    /// Ends the program, whose log must be quiet and dated by the clock.
    async fn finish(mut self) -> Option<i32> {
        let code = self.program.stop(Signal::SIGTERM).await;
        let log = self.log.await.unwrap();
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert!(lines.iter().all(|line| line["level"] == "INFO"), "{log}");
        let says = |line: &&serde_json::Value, beginning| {
            line["message"].as_str().is_some_and(|message| message.starts_with(beginning))
        };
        let years = |beginning| -> Vec<String> {
            let lines = lines.iter().filter(|line| says(line, beginning));
            lines.map(|line| line["timestamp"].as_str().unwrap()[..4].to_owned()).collect()
        };
        // The last one holds for more than a year.
        assert_eq!(years("a new certificate was made"), ["2040", "2042", "2039"], "{log}");
        assert_eq!(years("the clock was set")[..3], ["2042", "2039", "1970"], "{log}");
        code
    }

    /// Waits until the certificate that the program shows holds on that day.
    async fn certificate_holds(&self, now: OffsetDateTime) {
        let begun = Instant::now();
        loop {
            let shown = certificate(self.program.address).await;
            let (_, shown) = X509Certificate::from_der(&shown).unwrap();
            let validity = &shown.validity;
            if (validity.not_before.to_datetime()..=validity.not_after.to_datetime()).contains(&now) {
                return;
            }
            assert!(begun.elapsed() < SOON, "on {now} it shows one for {validity:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until for half a second no thread waits for a time that is far away.
    async fn nobody_waits_for_long(&self) {
        let (mut seen, mut since, begun) = (self.clock.long_waits(), Instant::now(), Instant::now());
        while since.elapsed() < Duration::from_millis(500) {
            assert!(begun.elapsed() < SOON, "a thread sleeps until the clock is where it was");
            sleep(Duration::from_millis(20)).await;
            let now = self.clock.long_waits();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
        }
    }
}

/// The events are in the order of the monotonic clock, and dated by when the session began.
fn assert_ordered(events: &EventSource<impl AsyncRead + AsyncWrite + Unpin>) {
    let times: Vec<_> = events.events().iter().map(|(_, event)| (event.event.at, event.time)).collect();
    assert!(times.len() > 10, "{times:?}");
    assert!(times.is_sorted_by(|(one, _), (next, _)| one <= next), "{times:?}");
    let began = milliseconds(noon(2040));
    let is_close = |(at, time): &(f64, f64)| (time - at - began).abs() < HOUR.as_secs_f64() * 1e3;
    assert!(times.iter().all(is_close), "{times:?}");
}

fn milliseconds(time: OffsetDateTime) -> f64 {
    (time - OffsetDateTime::UNIX_EPOCH).as_seconds_f64() * 1e3
}

async fn read(mut stderr: ChildStderr) -> String {
    let mut log = String::new();
    stderr.read_to_string(&mut log).await.unwrap();
    log
}

async fn assert_echoes(channel: &hola_webrtc_offerer::Channel) {
    let messages = ["hello".into(), Message::from(vec![7; 60_000])];
    for message in messages.iter().cycle().take(20) {
        channel.send(message.clone()).await.unwrap();
        assert_eq!(channel.receive().await.as_ref(), Some(message));
    }
}

#[tokio::test]
async fn however_the_clock_is_set_sessions_live_on_and_the_certificate_holds() {
    let stand = Stand::start(noon(2040)).await;
    let (connection, channel) = stand.connect().await;
    let path = connection.reply().session.as_ref().unwrap().path().to_owned();
    let mut events = EventSource::over(connect_to_whoever(stand.program.address).await, &path, &[]).await;
    let days = [
        ("forward, beyond the certificate's end", noon(2042)),
        ("back, before its beginning", noon(2039)),
        ("to the beginning of all time, as on a host that has lost its date", OffsetDateTime::UNIX_EPOCH),
        ("right again", noon(2040)),
    ];
    for (what, now) in days {
        // So that the allocator has something to do later.
        assert_echoes(&channel).await;
        stand.clock.set(now);
        assert_echoes(&channel).await;
        let (_other, other_channel) = stand.connect().await;
        assert_echoes(&other_channel).await;

        if now > OffsetDateTime::UNIX_EPOCH {
            stand.certificate_holds(now).await;
        }
        let reply = stand.get("/healthz").await;
        assert_eq!(reply.status(), 200, "{what}");
        let date = Date::decode(&mut reply.headers().get_all(DATE).iter()).unwrap();
        let wrong = (OffsetDateTime::from(SystemTime::from(date)) - now).unsigned_abs();
        assert!(wrong < HOUR, "{what}: {:?}", reply.headers());
        stand.nobody_waits_for_long().await;
    }
    assert_echoes(&channel).await;

    let figures = stand.get("/metrics").await;
    let figures = std::str::from_utf8(figures.body()).unwrap();
    let limits = figures.lines().filter(|line| line.starts_with("hola_webrtc_limit_reached_total{"));
    let (mut known, mut reached) = (0, Vec::new());
    for line in limits {
        known += 1;
        reached.extend((!line.ends_with(" 0")).then_some(line));
    }
    assert!(known > 10 && reached.is_empty(), "{reached:?}");

    connection.close();
    events.read_to_end().await;
    assert_ordered(&events);
    assert_eq!(stand.finish().await, Some(0));
}
