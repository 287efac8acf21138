//! One connection at a time, from the button to its end: runs the client and keeps what the page shows.

use std::{future::ready, pin::pin, time::Duration};

use futures_util::{
    StreamExt,
    future::{AbortHandle, Either, abortable, join3, select},
};
use hola_webrtc_client::{
    Channel, Closed, ConnectOptions, Connecting, Connection, Message, SendError, Trace, TraceData,
    TraceEvent, connect,
};
use leptos::{prelude::*, task::spawn_local};

use crate::{
    address::{Server, server},
    chat_log::ChatLog,
    failure::Failure,
    language::Language,
    steps::Steps,
    watch::watch,
};

/// How long the server may still tell of its side once the connection is over.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// None was made yet, or the last attempt was cancelled.
    Idle,
    Connecting,
    Open,
    Closed,
    Failed,
}

impl Status {
    /// The word for it in the `data-status` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }

    /// A connection is there or being made.
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::Connecting | Self::Open)
    }
}

/// The demonstration: what every part of the page reads, and the three things that it may do.
#[derive(Clone, Copy)]
pub struct Demo {
    pub status: RwSignal<Status>,
    pub steps: RwSignal<Steps>,
    pub chat: RwSignal<ChatLog>,
    pub failure: RwSignal<Option<Failure>>,
    language: Language,
    /// Handles of the client are bound to the browser's one thread.
    run: StoredValue<Option<Run>, LocalStorage>,
}

struct Run {
    abort: AbortHandle,
    /// Once the channel is open.
    open: Option<(Connection, Channel)>,
}

impl Demo {
    /// Makes it known to every part of the page.
    pub fn provide(language: Language) -> Self {
        let demo = Self {
            status: RwSignal::new(Status::Idle),
            steps: RwSignal::default(),
            chat: RwSignal::default(),
            failure: RwSignal::new(None),
            language,
            run: StoredValue::new_local(None),
        };
        provide_context(demo);
        demo
    }

    /// The one provided above.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Takes the eight steps, from the beginning.
    pub fn start(self) {
        self.abort();
        self.reset(Status::Connecting);
        let (run, abort) = abortable(self.run());
        self.run.set_value(Some(Run { abort, open: None }));
        spawn_local(async move {
            // Whoever aborts it says what comes next.
            let _ = run.await;
        });
    }

    /// Closes the connection, or gives up making it.
    pub fn close(self) {
        let open = self.run.with_value(|run| run.as_ref()?.open.as_ref().map(|(open, _)| open.clone()));
        if let Some(connection) = open {
            connection.close();
        } else {
            self.abort();
            self.reset(Status::Idle);
        }
    }

    /// Sends a text over the channel.
    pub fn send(self, text: String) -> Result<(), SendError> {
        let channel = self.run.with_value(|run| run.as_ref()?.open.as_ref().map(|(_, open)| open.clone()));
        let at = now();
        channel.ok_or(SendError::NotOpen)?.send_now(&Message::from(text.as_str()))?;
        self.chat.update(|chat| chat.sent(text, at));
        Ok(())
    }

    /// Everything from the first step to the end of the connection.
    async fn run(self) {
        let server = server();
        let options = ConnectOptions::default().language(self.language.get_untracked().tag());
        let connecting = connect(server.url.clone(), options);
        let follow = connecting.trace().subscribe().for_each(|event| {
            self.steps.update(|steps| steps.apply(&event));
            ready(())
        });
        let (watch, unwatch) = abortable(self.watch(connecting.trace()));
        let talk = async {
            self.talk(connecting, server).await;
            // A server that is there ends its stream by then. The browser would ask one that is gone for ever.
            set_timeout(move || unwatch.abort(), LAST_WORDS);
        };
        let _ = join3(follow, watch, talk).await;
    }

    /// Takes in what the server tells of its side, as soon as its reply has said where.
    async fn watch(self, trace: Trace) {
        let is_reply = |event: TraceEvent| ready(matches!(event.data, TraceData::Response { .. }));
        if trace.subscribe().any(is_reply).await
            && let Some(url) = trace.server_events()
        {
            watch(&url, |event| self.steps.update(|steps| steps.watch(event))).await;
        }
    }

    async fn talk(self, connecting: Connecting, server: Server) {
        let connection = match connecting.await {
            Ok(connection) => connection,
            Err(error) => return self.end(Status::Failed, Some(Failure::new(error, server))),
        };
        let channel = connection.channel();
        self.run.update_value(|run| {
            if let Some(run) = run {
                run.open = Some((connection.clone(), channel.clone()));
            }
        });
        self.status.set(Status::Open);
        let listen = channel.for_each(|message| {
            self.hear(message);
            ready(())
        });
        let closed = match select(pin!(connection.closed()), pin!(listen)).await {
            Either::Left((closed, _)) => closed,
            // Without its channel the connection is of no use to the page.
            Either::Right(_) => {
                connection.close();
                Closed::Remote
            }
        };
        match closed {
            Closed::Local => self.end(Status::Closed, None),
            Closed::Remote => self.end(Status::Closed, Some(Failure::closed_by_server(server))),
            Closed::Failed(error) => self.end(Status::Failed, Some(Failure::new(error, server))),
        }
    }

    fn hear(self, message: Message) {
        let at = now();
        self.chat.update(|chat| match message {
            Message::Text(text) => chat.received(text, at),
            Message::Binary(bytes) => chat.received_binary(bytes.len()),
        });
    }

    fn end(self, status: Status, failure: Option<Failure>) {
        self.run.update_value(|run| {
            if let Some(run) = run {
                run.open = None;
            }
        });
        self.failure.set(failure);
        self.status.set(status);
    }

    /// Ends the last run, if it has not ended by itself; dropping it leaves nothing behind.
    fn abort(self) {
        if let Some(run) = self.run.try_update_value(Option::take).flatten() {
            run.abort.abort();
        }
    }

    fn reset(self, status: Status) {
        self.failure.set(None);
        self.steps.set(Steps::default());
        self.chat.set(ChatLog::default());
        self.status.set(status);
    }
}

/// Milliseconds on the page's monotonic clock.
fn now() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}
