//! Connections that send a message every so often and time its echo.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Result;
use hdrhistogram::Histogram;
use hola_webrtc_offerer::{Channel, Message};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval_at, sleep_until},
};

use crate::fleet::Ship;

/// How long an echo may take after the last message before it counts as lost.
const LAST_ECHO: Duration = Duration::from_secs(10);

/// The load that one connection makes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: u32,
    pub(crate) size: usize,
}

/// Times, in microseconds.
#[derive(Clone, Debug)]
pub(crate) struct Times(Arc<Mutex<Histogram<u64>>>);

impl Record {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { round_trip: Times::new()?, since_due: Times::new()?, lateness: Times::new()? })
    }
}

impl Times {
    fn new() -> Result<Self> {
        const DIGITS: u8 = 3;
        const LONGEST: u64 = 600_000_000;
        Ok(Self(Arc::new(Mutex::new(Histogram::new_with_max(LONGEST, DIGITS)?))))
    }

    fn record(&self, time: Duration) {
        let micros = time.as_micros().try_into().unwrap_or(u64::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(micros);
    }

    pub(crate) fn at(&self, quantile: f64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).value_at_quantile(quantile)
    }

    pub(crate) fn max(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).max()
    }
}

/// What all connections of a load record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// From when a message was sent until its echo was there.
    pub(crate) round_trip: Times,
    /// The same from when the message was due, so that a load that is held up does not look fast.
    pub(crate) since_due: Times,
    /// How much later than due it was sent: the load's own delay.
    pub(crate) lateness: Times,
}

/// What became of one connection, or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) sent: u64,
    /// Those of them that were sent before the moment.
    pub(crate) sent_before: u64,
    /// Echoes of messages that were sent, each in its turn and unchanged.
    pub(crate) echoed: u64,
    /// Other messages.
    pub(crate) wrong: u64,
    /// How many channels' ends were seen.
    pub(crate) closed: u64,
}

impl Outcome {
    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            sent_before: self.sent_before + other.sent_before,
            echoed: self.echoed + other.echoed,
            wrong: self.wrong + other.wrong,
            closed: self.closed + other.closed,
        }
    }
}

/// A moment that is known when it has come, such as that of a signal.
pub(crate) type Moment = Arc<OnceLock<Instant>>;

/// Lets every ship send for this long, or until its channel is closed. Each task ends when its echoes have come.
pub(crate) fn start(
    fleet: &[Ship],
    pace: Pace,
    lasting: Duration,
    record: &Record,
    moment: &Moment,
) -> JoinSet<Outcome> {
    let (begun, period) = (Instant::now(), Duration::from_secs(1) / pace.per_second.max(1));
    let mut talks = JoinSet::new();
    for (number, ship) in (0_u32..).zip(fleet) {
        // Evenly over the period, as unrelated clients would come.
        let offset = period.mul_f64(f64::from(number) / fleet.len().max(1) as f64);
        let talk = Talk {
            channel: ship.channel.clone(),
            record: record.clone(),
            moment: moment.clone(),
            first: begun + offset,
            period,
            until: begun + lasting,
            size: pace.size,
            on_the_way: VecDeque::new(),
        };
        talks.spawn(talk.run());
    }
    talks
}

struct Talk {
    channel: Channel,
    record: Record,
    moment: Moment,
    first: Instant,
    period: Duration,
    until: Instant,
    size: usize,
    /// When the messages whose echoes are missing were due, and sent.
    on_the_way: VecDeque<(Instant, Instant)>,
}

impl Talk {
    async fn run(mut self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut due = interval_at(self.first.into(), self.period);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut is_sending = true;
        while is_sending || outcome.echoed < outcome.sent {
            tokio::select! {
                biased;
                message = self.channel.receive() => {
                    let Some(message) = message else {
                        outcome.closed = 1;
                        break;
                    };
                    self.check(&message, &mut outcome);
                }
                tick = due.tick(), if is_sending => {
                    is_sending = Instant::now() < self.until && self.send(tick.into_std(), &mut outcome).await;
                }
                () = sleep_until((self.until + LAST_ECHO).into()), if !is_sending => break,
            }
        }
        outcome
    }

    /// `false` once the channel is closed.
    async fn send(&mut self, due: Instant, outcome: &mut Outcome) -> bool {
        let now = Instant::now();
        self.record.lateness.record(now - due);
        let is_before = self.moment.get().is_none();
        if self.channel.send(message(outcome.sent, self.size)).await.is_err() {
            return false;
        }
        self.on_the_way.push_back((due, now));
        outcome.sent += 1;
        outcome.sent_before += u64::from(is_before);
        true
    }

    fn check(&mut self, echo: &Message, outcome: &mut Outcome) {
        if *echo != message(outcome.echoed, self.size) {
            outcome.wrong += 1;
            return;
        }
        if let Some((due, sent)) = self.on_the_way.pop_front() {
            self.record.round_trip.record(sent.elapsed());
            self.record.since_due.record(due.elapsed());
        }
        outcome.echoed += 1;
    }
}

fn message(number: u64, size: usize) -> Message {
    let mut bytes = vec![0; size.max(8)];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}
