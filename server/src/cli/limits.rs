//! The flags that bound what a stranger can make grow in sessions: the fields of [`Limits`].

use std::time::Duration;

use clap::Args;
use hola_webrtc_server::Limits;

use super::values::{any_time, bytes, message_bytes, number, time};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Limits of sessions")]
pub(crate) struct SessionLimits {
    /// How many sessions may live at once
    #[arg(long, env = "HOLA_MAX_SESSIONS", value_name = "NUMBER", default_value = "10000", value_parser = number)]
    max_sessions: usize,

    /// How many of them may come from one client address (IPv6: from one /64 network)
    #[arg(long, env = "HOLA_MAX_SESSIONS_PER_ADDRESS", value_name = "NUMBER", default_value = "200",
          value_parser = number)]
    max_sessions_per_address: usize,

    /// How many offers one client address may send a second, on average; 0 for any number
    #[arg(long, env = "HOLA_OFFERS_PER_SECOND", value_name = "NUMBER", default_value_t = 10)]
    offers_per_second: u32,

    /// How many offers one client address may send at once, before the average counts
    #[arg(long, env = "HOLA_OFFER_BURST", value_name = "NUMBER", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..))]
    offer_burst: u32,

    /// How many PATCH requests one client address may send a second, on average; 0 for any number
    #[arg(long, env = "HOLA_PATCHES_PER_SECOND", value_name = "NUMBER", default_value_t = 50)]
    patches_per_second: u32,

    /// How many PATCH requests one client address may send at once, before the average counts
    #[arg(long, env = "HOLA_PATCH_BURST", value_name = "NUMBER", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..))]
    patch_burst: u32,

    /// Largest offer or SDP fragment taken
    #[arg(long, env = "HOLA_MAX_OFFER_BYTES", value_name = "BYTES", default_value = "64KiB", value_parser = bytes)]
    max_offer_bytes: usize,

    /// How many lines an offer may have
    #[arg(long, env = "HOLA_MAX_OFFER_LINES", value_name = "NUMBER", default_value = "1000", value_parser = number)]
    max_offer_lines: usize,

    /// How many candidates a session's client may name, in its offer and later
    #[arg(long, env = "HOLA_MAX_CANDIDATES", value_name = "NUMBER", default_value = "64", value_parser = number)]
    max_candidates: usize,

    /// How long the body of a request may take to arrive
    #[arg(long, env = "HOLA_BODY_TIMEOUT", value_name = "TIME", default_value = "10s", value_parser = time)]
    body_timeout: Duration,

    /// How many streams of events one session may be watched by
    #[arg(long, env = "HOLA_MAX_EVENT_STREAMS", value_name = "NUMBER", default_value = "4", value_parser = number)]
    max_event_streams: usize,

    /// How many channels a session may have open
    #[arg(long, env = "HOLA_MAX_CHANNELS", value_name = "NUMBER", default_value = "64", value_parser = number)]
    max_channels: usize,

    /// Largest message taken; each session reserves a buffer of this size
    #[arg(long, env = "HOLA_MAX_MESSAGE_SIZE", value_name = "BYTES", default_value = "64KiB",
          value_parser = message_bytes)]
    max_message_size: u32,

    /// Largest message taken on a channel that speaks the framing
    #[arg(long, env = "HOLA_MAX_FRAMED_MESSAGE", value_name = "BYTES", default_value = "4MiB",
          value_parser = message_bytes)]
    max_framed_message: u32,

    /// How many bytes of messages a session may hold in each of its queues before senders wait
    #[arg(long, env = "HOLA_SESSION_BUFFER", value_name = "BYTES", default_value = "1MiB", value_parser = bytes)]
    session_buffer: usize,

    /// How many bytes of messages all sessions may hold before the greediest are closed
    #[arg(long, env = "HOLA_TOTAL_BUFFER", value_name = "BYTES", default_value = "512MiB", value_parser = bytes)]
    total_buffer: usize,

    /// How many resumable channels may live at once, with their clients there or away
    #[arg(long, env = "HOLA_MAX_RESUMABLE", value_name = "NUMBER", default_value = "10000", value_parser = number)]
    max_resumable: usize,

    /// How many of them may be of one client address
    #[arg(long, env = "HOLA_MAX_RESUMABLE_PER_ADDRESS", value_name = "NUMBER", default_value = "200",
          value_parser = number)]
    max_resumable_per_address: usize,

    /// How long a resumable channel waits for its client to come back
    #[arg(long, env = "HOLA_RESUME_TIMEOUT", value_name = "TIME", default_value = "1m", value_parser = time)]
    resume_timeout: Duration,

    /// How many bytes of messages those may hold whose clients are away
    #[arg(long, env = "HOLA_RESUME_BUFFER", value_name = "BYTES", default_value = "64MiB", value_parser = bytes)]
    resume_buffer: usize,

    /// How many of these bytes may be for clients of one address
    #[arg(long, env = "HOLA_RESUME_BUFFER_PER_ADDRESS", value_name = "BYTES", default_value = "8MiB",
          value_parser = bytes)]
    resume_buffer_per_address: usize,

    /// How long an offer may go without a connectivity check of its peer
    #[arg(long, env = "HOLA_CHECK_TIMEOUT", value_name = "TIME", default_value = "2s", value_parser = time)]
    check_timeout: Duration,

    /// How long a session may take from the offer to its first open channel
    #[arg(long, env = "HOLA_OPEN_TIMEOUT", value_name = "TIME", default_value = "15s", value_parser = time)]
    open_timeout: Duration,

    /// How long an open session may be silent before it counts as lost
    #[arg(long, env = "HOLA_SILENCE_TIMEOUT", value_name = "TIME", default_value = "15s", value_parser = time)]
    silence_timeout: Duration,

    /// How long an open session may go without a message in either direction; 0 for ever
    #[arg(long, env = "HOLA_IDLE_TIMEOUT", value_name = "TIME", default_value = "0", value_parser = any_time)]
    idle_timeout: Duration,
}

impl SessionLimits {
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::new();
        limits.max_sessions = self.max_sessions;
        limits.max_sessions_per_address = self.max_sessions_per_address;
        limits.offers_per_second = self.offers_per_second;
        limits.offer_burst = self.offer_burst;
        limits.patches_per_second = self.patches_per_second;
        limits.patch_burst = self.patch_burst;
        limits.max_offer_bytes = self.max_offer_bytes;
        limits.max_offer_lines = self.max_offer_lines;
        limits.max_candidates = self.max_candidates;
        limits.body_timeout = self.body_timeout;
        limits.max_event_streams = self.max_event_streams;
        limits.max_channels = self.max_channels;
        limits.max_message_size = self.max_message_size;
        limits.max_framed_message = self.max_framed_message;
        limits.session_buffer = self.session_buffer;
        limits.total_buffer = self.total_buffer;
        limits.max_resumable = self.max_resumable;
        limits.max_resumable_per_address = self.max_resumable_per_address;
        limits.resume_timeout = self.resume_timeout;
        limits.resume_buffer = self.resume_buffer;
        limits.resume_buffer_per_address = self.resume_buffer_per_address;
        limits.check_timeout = self.check_timeout;
        limits.open_timeout = self.open_timeout;
        limits.silence_timeout = self.silence_timeout;
        limits.idle_timeout = Some(self.idle_timeout).filter(|time| !time.is_zero());
        limits
    }
}
