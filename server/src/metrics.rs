//! What the server counts, for Prometheus: sessions, offers, messages, datagrams, drops, limits, times.

mod burst;
mod instruments;
mod labels;
#[cfg(test)]
mod tests;

use std::{
    sync::atomic::AtomicU64,
    time::{Duration, Instant, SystemTime},
};

use hola_webrtc_protocol::{ProblemCode, Step};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Metric, Registry, Unit},
};
use tracing::{debug, info, warn};

pub use self::labels::Limit;
pub(crate) use self::labels::{Direction, Dropped, SessionState};
use self::{
    burst::Burst,
    instruments::{PerLabel, Times},
    labels::Label,
};
use crate::session::Closed;

/// The counters of one server. Counting costs an atomic operation or two and takes no lock.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    start: Instant,
    sessions: PerLabel<SessionState, Gauge>,
    offers: Family<Outcome, Counter>,
    ended: PerLabel<Closed, Counter>,
    steps: PerLabel<Step, Times>,
    messages: PerLabel<Direction, Counter>,
    message_bytes: PerLabel<Direction, Counter>,
    datagrams: PerLabel<Direction, Counter>,
    datagram_bytes: PerLabel<Direction, Counter>,
    dropped: PerLabel<Dropped, Counter>,
    limits: PerLabel<Limit, Counter>,
    bursts: PerLabel<Limit, Burst>,
    lag: Times,
    buffered: Gauge,
    parked: Gauge,
    parked_bytes: Gauge,
    resumed: Counter,
    workers: Gauge,
    handed_over: Counter,
    retransmissions: Counter,
    connections: Gauge,
    handshakes: Gauge,
}

/// What became of an offer; `None` if it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: OutcomeName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct OutcomeName(Option<ProblemCode>);

impl EncodeLabelValue for OutcomeName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(code) = self.0 else { return EncodeLabelValue::encode(&"answered", encoder) };
        let name = serde_json::to_value(code).map_err(|_| std::fmt::Error)?;
        EncodeLabelValue::encode(&name.as_str().unwrap_or_default(), encoder)
    }
}

impl Metrics {
    /// The media type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        add_process(&mut registry);
        let to = registry.sub_registry_with_prefix("hola_webrtc");
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        to.register("build", "The version of the server", Info::new(version));
        Self {
            start: Instant::now(),
            sessions: add(to, "sessions", "Sessions that live now", PerLabel::new("state")),
            offers: add(to, "offers", "Offers, by what became of them", Family::default()),
            ended: add(to, "sessions_ended", "Sessions that have ended", PerLabel::new("reason")),
            steps: add_with(
                to,
                "step",
                "How long the server's parts of the negotiation take: 6a to 6e each, 8a to 8d since the answer",
                Unit::Seconds,
                PerLabel::new("step"),
            ),
            messages: add(to, "messages", "Messages on channels", PerLabel::new("direction")),
            message_bytes: add(to, "message_bytes", "Their bytes", PerLabel::new("direction")),
            datagrams: add(to, "datagrams", "UDP datagrams", PerLabel::new("direction")),
            datagram_bytes: add(to, "datagram_bytes", "Their bytes", PerLabel::new("direction")),
            dropped: add(to, "dropped", "Datagrams that were dropped", PerLabel::new("reason")),
            limits: add(to, "limit_reached", "Limits that took effect, by flag", PerLabel::new("limit")),
            bursts: PerLabel::new("limit"),
            lag: add_with(
                to,
                "engine_lag",
                "How late a worker of the engine deals with what is due",
                Unit::Seconds,
                Times::default(),
            ),
            buffered: add(to, "buffered_bytes", "Bytes of messages that wait in queues", Gauge::default()),
            parked: add(to, "parked", "Resumable channels whose clients are away", Gauge::default()),
            parked_bytes: add(to, "parked_bytes", "Bytes of messages that they hold", Gauge::default()),
            resumed: add(to, "resumed", "Channels that were resumed", Counter::default()),
            workers: add(to, "workers", "Threads of the engine", Gauge::default()),
            handed_over: add(
                to,
                "handed_over",
                "Datagrams that reached a worker other than their session's",
                Counter::default(),
            ),
            retransmissions: add(
                to,
                "sctp_retransmissions",
                "DATA chunks of SCTP that left more than once",
                Counter::default(),
            ),
            connections: add(to, "connections", "TCP connections that are open now", Gauge::default()),
            handshakes: add(to, "handshakes", "TLS handshakes in flight", Gauge::default()),
            registry,
        }
    }

    /// Everything in the text format of OpenMetrics, which Prometheus reads.
    pub fn encode(&self) -> String {
        let mut output = String::new();
        // Writing into a string does not fail.
        let _ = text::encode(&mut output, &self.registry);
        output
    }

    /// A limit took effect. It is counted each time, and logged at most every ten seconds.
    pub fn limit_reached(&self, limit: Limit) {
        count(&self.limits, limit, 1);
        let burst = self.bursts.get(limit);
        let Some(times) = burst.and_then(|burst| burst.note(self.start.elapsed())) else { return };
        let flag = limit.name();
        if limit == Limit::SessionBuffer {
            // It makes senders wait, as it should.
            debug!(limit = flag, times, "the limit --{flag} took effect");
        } else if limit.is_time() {
            info!(limit = flag, times, "the limit --{flag} took effect");
        } else {
            warn!(limit = flag, times, "the limit --{flag} is reached");
        }
    }

    /// A TCP connection was accepted.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A TCP connection has ended.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// A TLS handshake begins.
    pub fn handshake_began(&self) {
        self.handshakes.inc();
    }

    /// A TLS handshake has ended, well or not.
    pub fn handshake_ended(&self) {
        self.handshakes.dec();
    }
}

impl Metrics {
    /// A session entered a state, or left its last one: `None` is before the beginning and after the end.
    pub(crate) fn session_moved(&self, from: Option<SessionState>, to: Option<SessionState>) {
        from.and_then(|state| self.sessions.get(state)).map(Gauge::dec);
        to.and_then(|state| self.sessions.get(state)).map(Gauge::inc);
    }

    /// A session has ended.
    pub(crate) fn session_ended(&self, reason: Closed) {
        count(&self.ended, reason, 1);
    }

    /// An offer was answered (`Ok`), or refused.
    pub(crate) fn offer(&self, outcome: Result<(), ProblemCode>) {
        self.offers.get_or_create(&Outcome { outcome: OutcomeName(outcome.err()) }).inc();
    }

    /// How long a part of step 6 took, or how long after the answer a layer of step 8 came up. The client's steps are
    /// not measured.
    pub(crate) fn step(&self, step: Step, took: Duration) {
        if let Some(times) = self.steps.get(step) {
            times.observe(took);
        }
    }

    /// A message came in or went out.
    pub(crate) fn message(&self, direction: Direction, bytes: usize) {
        count(&self.messages, direction, 1);
        count(&self.message_bytes, direction, bytes);
    }

    /// Datagrams came in or went out.
    pub(crate) fn datagrams(&self, direction: Direction, number: usize, bytes: usize) {
        count(&self.datagrams, direction, number);
        count(&self.datagram_bytes, direction, bytes);
    }

    /// A datagram was dropped.
    pub(crate) fn dropped(&self, reason: Dropped) {
        count(&self.dropped, reason, 1);
    }

    /// How late a worker dealt with what was due, having had nothing else to do.
    pub(crate) fn lag(&self, lag: Duration) {
        self.lag.observe(lag);
    }

    /// How many bytes of messages wait in all sessions.
    pub(crate) fn buffered(&self, bytes: usize) {
        self.buffered.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// What a resumable channel holds, before and now, while its client is away; `None` if the client is there.
    pub(crate) fn parked(&self, before: Option<usize>, now: Option<usize>) {
        self.parked.inc_by(i64::from(now.is_some()) - i64::from(before.is_some()));
        let bytes = |bytes: Option<usize>| i64::try_from(bytes.unwrap_or_default()).unwrap_or(i64::MAX);
        self.parked_bytes.inc_by(bytes(now) - bytes(before));
    }

    /// A channel was resumed.
    pub(crate) fn resumed(&self) {
        self.resumed.inc();
    }

    /// How many threads the engine has.
    pub(crate) fn workers(&self, number: usize) {
        self.workers.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Datagrams were handed over to the worker that their session lives on.
    pub(crate) fn handed_over(&self, datagrams: usize) {
        self.handed_over.inc_by(datagrams as u64);
    }

    /// SCTP has sent so many chunks once more.
    pub(crate) fn retransmitted(&self, chunks: u64) {
        self.retransmissions.inc_by(chunks);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn count<L: Label>(counters: &PerLabel<L, Counter>, label: L, number: usize) {
    if let Some(counter) = counters.get(label) {
        counter.inc_by(number as u64);
    }
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn add_with<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, unit: Unit, metric: M) -> M {
    registry.register_with_unit(name, help, unit, metric.clone());
    metric
}

/// The process, under the name that every program uses for it.
#[expect(clippy::disallowed_methods, reason = "read once, for those who look at it")]
fn add_process(registry: &mut Registry) {
    let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(start.as_secs_f64());
    registry.register_with_unit("process_start_time", "When the server started", Unit::Seconds, gauge);
}
