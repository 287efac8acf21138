//! A session as a handler sees it: the connection to one peer, and the channels on it.

mod closed;
mod journal;
mod link;
mod options;
mod spawner;

use std::{fmt, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use hola_webrtc_protocol::{
    SessionId,
    framing::{Mode, Role},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, mpsc, oneshot},
};

pub use self::{
    closed::{ChannelClosed, Closed},
    options::{ChannelOptions, OpenError},
    spawner::Spawner,
};
pub(crate) use self::{
    journal::Reader,
    link::{Link, Wish},
};
use crate::{
    channel::Channel,
    framing::{self, Keeper, Opening},
    offer::OfferContext,
};

/// What both sides have agreed on by offer and answer. Of a channel, [its own parameters](crate::ChannelParameters) tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionParameters {
    /// The largest message that may be sent to the peer, in bytes
    /// ([W3C, `maxMessageSize`](https://www.w3.org/TR/webrtc/#dom-rtcsctptransport-maxmessagesize)).
    pub max_message_size: u32,
    /// The largest message that is taken of the peer, in bytes: the answer's `a=max-message-size`
    /// ([RFC 8841, 6](https://www.rfc-editor.org/rfc/rfc8841#section-6)).
    pub max_received_message_size: u32,
}

/// How a session fares (in the words of [WebRTC Statistics](https://www.w3.org/TR/webrtc-stats/)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// The last round trip that a connectivity check measured.
    pub round_trip_time: Option<Duration>,
    /// Datagrams to the peer.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Datagrams from the peer.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Messages to the peer.
    pub messages_sent: u64,
    /// Messages from the peer.
    pub messages_received: u64,
    /// DATA chunks of SCTP that left more than once: they, or the word that they had arrived, were lost.
    pub retransmissions: u64,
    /// Channels that are open now.
    pub channels: usize,
    /// Bytes of messages that wait for a handler, for SCTP, or for the peer's acknowledgement.
    pub buffered: usize,
}

/// The connection to one peer. It ends when either side closes it, and when it is dropped.
///
/// ```
/// # use futures_util::SinkExt;
/// # use hola_webrtc_server::{ChannelOptions, Message, RtcServer};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = RtcServer::builder().listen("127.0.0.1:0".parse()?).start()?;
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let url = format!("http://{}", listener.local_addr()?);
/// # let app = server.router();
/// # tokio::spawn(async move { axum::serve(listener, app).await });
/// # let client = tokio::spawn(async move {
/// #     let (connection, _channel) = hola_webrtc_offerer::connect(&url).await.unwrap();
/// #     let news = connection.accept_channel().await.unwrap();
/// #     news.receive().await
/// # });
/// let session = server.accept().await.expect("it runs");
/// let mut news = session.open_channel("news", ChannelOptions::default()).await?;
/// news.send(Message::Text(format!("welcome, {:?}", session.remote_address()))).await?;
/// # assert!(client.await?.is_some_and(|message| message.as_bytes().starts_with(b"welcome")));
/// # Ok(())
/// # }
/// ```
pub struct Session {
    link: Arc<Link>,
    arrivals: Mutex<Arrivals>,
    keeper: Arc<Keeper>,
    pub(crate) parameters: SessionParameters,
    runtime: Option<Handle>,
}

/// The channels that the peer opens.
struct Arrivals {
    /// As they come from the engine.
    data: mpsc::Receiver<Channel>,
    /// The new ones among those that can be resumed, once they have said which they are.
    resumable: (mpsc::Sender<Channel>, mpsc::Receiver<Channel>),
}

impl Session {
    fn new(link: Arc<Link>, channels: mpsc::Receiver<Channel>, keeper: Arc<Keeper>) -> Self {
        let resumable = mpsc::channel(keeper.limits().max_channels.max(1));
        let arrivals = Mutex::new(Arrivals { data: channels, resumable });
        Self { link, arrivals, keeper, parameters: SessionParameters::default(), runtime: None }
    }

    /// The session's name, as in its URL and in the log.
    pub fn id(&self) -> SessionId {
        self.link.id
    }

    /// What was known of the client when its offer arrived, and what the program made of it.
    pub fn context(&self) -> &OfferContext {
        &self.link.context
    }

    /// The peer's address on the path that ICE has selected. It may change with an ICE restart.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.link.remote()
    }

    /// What both sides have agreed on.
    pub fn parameters(&self) -> SessionParameters {
        self.parameters
    }

    /// The next channel that the peer opens; `None` once the session has ended.
    ///
    /// A channel whose messages nobody takes stops the others of its session, which share SCTP's receive window with
    /// it: serve each in a task of its own.
    ///
    /// A channel that a client resumes does not come again: whoever has it goes on with it.
    pub async fn accept_channel(&self) -> Option<Channel> {
        let mut arrivals = self.arrivals.lock().await;
        let Arrivals { data, resumable: (sender, resumable) } = &mut *arrivals;
        loop {
            let channel = tokio::select! {
                biased;
                channel = data.recv() => channel,
                Some(channel) = resumable.recv() => return Some(channel),
            };
            let Some(channel) = channel else { return resumable.try_recv().ok() };
            let accepted = framing::accept(self.opening(), channel, sender);
            if accepted.is_some() {
                return accepted;
            }
        }
    }

    /// Opens a channel to the peer, and waits until the peer has confirmed it (RFC 8832, 5). A channel with a
    /// negotiated stream number is open at once. Only clients can open channels that are resumed.
    pub async fn open_channel(
        &self,
        label: impl Into<String>,
        options: ChannelOptions,
    ) -> Result<Channel, OpenError> {
        let (mode, _) = Mode::of(&options.protocol);
        if mode == Some(Mode::Resumable) {
            return Err(OpenError::Invalid("only clients open channels that are resumed".to_owned()));
        }
        let (reply, opened) = oneshot::channel();
        self.ask(Wish::Open { label: label.into(), options, reply });
        let channel = match opened.await {
            Ok(opened) => opened?,
            // The engine lets a wish go unanswered where the peer closes the channel, and where the session ends.
            Err(_) if self.stats().await.is_some() => return Err(OpenError::Refused),
            Err(_) => return Err(OpenError::Closed),
        };
        Ok(match mode {
            Some(_) => framing::open(&self.opening(), channel, Role::Opener),
            None => channel,
        })
    }

    /// How the session fares; `None` once it has ended.
    pub async fn stats(&self) -> Option<SessionStats> {
        let (reply, stats) = oneshot::channel();
        self.ask(Wish::Stats(reply));
        stats.await.ok()
    }

    /// Waits until the session has ended.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.link.closed.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        closed.wait_for(Option::is_some).await.ok().and_then(|reason| *reason).unwrap_or(Closed::ByServer)
    }

    /// Ends the session. The peer is told, and reads the reason in the session's event stream. What is still
    /// buffered is lost: close the channels first, and wait for [`Session::closed`], to end in peace.
    pub fn close(&self, reason: impl Into<String>) {
        self.ask(Wish::Close { reason: reason.into() });
    }

    /// Waits until the server is told to stop ([`RtcServer::drain`](crate::RtcServer::drain)): then finish, and close
    /// the channels.
    pub fn draining(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut draining = self.link.draining.clone();
        async move {
            // The sender goes with the server, which has then stopped.
            let _ = draining.wait_for(|is_draining| *is_draining).await;
        }
    }

    /// Spawns tasks on the thread that does this session's I/O.
    pub fn spawner(&self) -> Spawner {
        Spawner::new(self.runtime.clone(), self.link.clone())
    }

    /// Lets the session's tasks run there.
    pub(crate) fn run_on(&mut self, runtime: Option<Handle>) {
        self.runtime = runtime;
    }

    fn opening(&self) -> Opening {
        let client = self.link.context.remote.map(|remote| remote.ip());
        Opening { keeper: self.keeper.clone(), spawner: self.spawner(), client }
    }

    fn ask(&self, wish: Wish) {
        self.link.wish(wish);
        // An ended session answers no wish.
        if self.link.has_ended() {
            self.link.take_wishes();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.link.id).finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.leave();
    }
}
