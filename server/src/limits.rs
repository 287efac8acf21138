//! What bounds everything that a stranger can make grow.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::engine::receive_window;

/// The limits of a server. The defaults suit a public one.
///
/// A number of 0 lets in none, and a time of 0 is over at once, but where the description says otherwise. The greatest number,
/// and [`Duration::MAX`], are no limit.
///
/// ```
/// let mut limits = hola_webrtc_server::Limits::default();
/// limits.max_sessions = 500;
/// let builder = hola_webrtc_server::RtcServer::builder().limits(limits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many sessions may live at once (10,000).
    pub max_sessions: usize,
    /// How many of them may come from one client address (200); an IPv6 client counts by its /64 network.
    pub max_sessions_per_address: usize,
    /// How many offers one client address may send a second, on average (10), 0 for any number.
    pub offers_per_second: u32,
    /// How many offers one client address may send at once, before the average counts (100); 0 counts as 1.
    pub offer_burst: u32,
    /// How many `PATCH` requests (candidates that trickle in, ICE restarts) one client address may send a second, on
    /// average (50), 0 for any number. A restart counts as an offer, too.
    pub patches_per_second: u32,
    /// How many `PATCH` requests one client address may send at once, before the average counts (500); 0 counts as 1.
    pub patch_burst: u32,
    /// The size of an offer, or of an SDP fragment, in bytes (64 KiB).
    pub max_offer_bytes: usize,
    /// The number of lines of an offer (1,000).
    pub max_offer_lines: usize,
    /// How many candidates a session's client may name, in its offer and later (64).
    pub max_candidates: usize,
    /// How long the body of a request may take to arrive (10 s).
    pub body_timeout: Duration,
    /// How many streams of events one session may be watched by (4).
    pub max_event_streams: usize,
    /// How many channels a session may have open (64).
    pub max_channels: usize,
    /// The largest message taken, in bytes (65,536), 1 at least.
    pub max_message_size: u32,
    /// The largest message taken on a channel that speaks the framing, in bytes (4 MiB).
    pub max_framed_message: u32,
    /// How many bytes of messages a session may hold in each of: received and not yet read by the handler, sent by
    /// the handler and not yet taken by SCTP, taken by SCTP and not yet acknowledged (1 MiB). Its channels share
    /// it, and each may exceed its share by one message, which 0 leaves it. Beyond it, senders wait.
    pub session_buffer: usize,
    /// How many bytes of messages all sessions together may hold (512 MiB). Beyond it, sessions that hold more than
    /// an equal share are closed.
    pub total_buffer: usize,
    /// How many resumable channels may live at once, whether their clients are there or not (10,000).
    pub max_resumable: usize,
    /// How many of them may be of one client address (200).
    pub max_resumable_per_address: usize,
    /// How long a resumable channel waits for its client to come back (1 min).
    pub resume_timeout: Duration,
    /// How many bytes of messages those may hold together whose clients are away (64 MiB). Beyond it, the one ends that
    /// would hold more.
    pub resume_buffer: usize,
    /// How many of these bytes may be for clients of one address (8 MiB).
    pub resume_buffer_per_address: usize,
    /// How long an answered offer may go without a connectivity check of its peer (2 s).
    pub check_timeout: Duration,
    /// How long a session may take from the offer to its first open channel (15 s).
    pub open_timeout: Duration,
    /// How long an open session may be silent before it counts as lost (15 s). The server asks for a sign of life
    /// twice a second.
    pub silence_timeout: Duration,
    /// How long an open session may go without a message in either direction (`None`, the default: for ever).
    pub idle_timeout: Option<Duration>,
}

impl Limits {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            max_sessions: 10_000,
            max_sessions_per_address: 200,
            offers_per_second: 10,
            offer_burst: 100,
            patches_per_second: 50,
            patch_burst: 500,
            max_offer_bytes: 64 * 1024,
            max_offer_lines: 1000,
            max_candidates: 64,
            body_timeout: Duration::from_secs(10),
            max_event_streams: 4,
            max_channels: 64,
            max_message_size: 65_536,
            max_framed_message: 4 * 1024 * 1024,
            session_buffer: 1024 * 1024,
            total_buffer: 512 * 1024 * 1024,
            max_resumable: 10_000,
            max_resumable_per_address: 200,
            resume_timeout: Duration::from_mins(1),
            resume_buffer: 64 * 1024 * 1024,
            resume_buffer_per_address: 8 * 1024 * 1024,
            check_timeout: Duration::from_secs(2),
            open_timeout: Duration::from_secs(15),
            silence_timeout: Duration::from_secs(15),
            idle_timeout: None,
        }
    }

    /// How many bytes of messages one session may hold in all, but for one message of each queue: SCTP's receive window, and
    /// three times [`session_buffer`](Self::session_buffer). 4 MiB by default; with few channels it is less, since the queues
    /// between SCTP and a handler are short.
    pub fn most_of_session(&self) -> usize {
        receive_window(self.max_message_size) as usize + self.session_buffer.saturating_mul(3)
    }
}

impl Limits {
    /// The same, with times that can be added to the present, and no more sessions and channels than can wait in a queue.
    pub(crate) fn reckonable(mut self) -> Self {
        const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);
        let Self {
            max_sessions,
            max_channels,
            body_timeout,
            resume_timeout,
            check_timeout,
            open_timeout,
            silence_timeout,
            idle_timeout,
            ..
        } = &mut self;
        let times = [body_timeout, resume_timeout, check_timeout, open_timeout, silence_timeout];
        for time in times.into_iter().chain(idle_timeout) {
            *time = LONGEST.min(*time);
        }
        for number in [max_sessions, max_channels] {
            *number = Semaphore::MAX_PERMITS.min(*number);
        }
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// What counts as one client: an address of IPv4, or the /64 network of IPv6 that a host or a household has to itself.
pub fn client_network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
