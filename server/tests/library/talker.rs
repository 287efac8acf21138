//! A client that speaks the framing, on connections that it loses and makes anew.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hola_webrtc_offerer::{Channel, ChannelOptions, ConnectOptions, Connection, Message, Offerer, Settings};
use hola_webrtc_protocol::framing::{Framing, Info, Limits, Mode, Read, ResumeId, Role, State, Transfer};
use tokio::time::{sleep_until, timeout};

use crate::common::SOON;

pub(crate) const LIMITS: Limits =
    Limits { window: 256 * 1024, max_message: 1 << 20, max_transfers: 4, resend: 256 * 1024 };

pub(crate) struct Talker {
    pub(crate) framing: Framing<Bytes>,
    mode: Mode,
    connection: Option<Connection>,
    line: Option<Channel>,
    epoch: Instant,
}

impl Talker {
    pub(crate) fn framed() -> Self {
        Self::new(Role::Opener, None)
    }

    /// Different ids for different channels.
    pub(crate) fn resumable(id: u8) -> Self {
        Self::new(Role::Opener, Some(ResumeId([id; 16])))
    }

    fn new(role: Role, resume: Option<ResumeId>) -> Self {
        let mode = if resume.is_some() { Mode::Resumable } else { Mode::Framed };
        let framing = Framing::new(role, LIMITS, resume);
        Self { framing, mode, connection: None, line: None, epoch: Instant::now() }
    }

    /// The other side of a channel that the server opens.
    pub(crate) async fn accept(connection: Connection) -> Self {
        let line = timeout(SOON, connection.accept_channel()).await.expect("it opens").unwrap();
        let mut talker = Self::new(Role::Acceptor, None);
        (talker.connection, talker.line) = (Some(connection), Some(line));
        talker.framing.attach();
        talker
    }

    /// Makes a connection, the first or another. What was left of an old one is dropped.
    pub(crate) async fn connect(&mut self, url: &str) {
        let channel =
            ChannelOptions { protocol: self.mode.protocol("chess"), ..ChannelOptions::labelled("talk") };
        let options = ConnectOptions { channel, ..ConnectOptions::default() };
        let offerer = Offerer::new(Settings::default()).unwrap();
        let (connection, line) = offerer.connect(url, &options).await.unwrap();
        self.framing.detach();
        self.framing.attach();
        // The old connection is dropped once the new one is there, as if it were still believed to be alive.
        (self.connection, self.line) = (Some(connection), Some(line));
    }

    /// As [`Talker::connect`], and waits until the server speaks.
    pub(crate) async fn open(&mut self, url: &str) {
        self.connect(url).await;
        self.until(|framing| (*framing.state() == State::Open).then_some(())).await;
    }

    /// The connection is gone, with what was under way.
    pub(crate) fn cut(&mut self) {
        (self.connection, self.line) = (None, None);
        self.framing.detach();
    }

    /// Goes on until something is so.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(&mut Framing<Bytes>) -> Option<T>) -> T {
        let patience = Instant::now() + SOON;
        loop {
            if let Some(result) = wanted(&mut self.framing) {
                return result;
            }
            assert!(Instant::now() < patience, "it does not happen: {:?}", self.framing.state());
            self.step(Duration::from_millis(100)).await;
        }
    }

    /// Sends what there is, then takes in what has come, or waits for something for a while.
    pub(crate) async fn step(&mut self, patience: Duration) {
        let Some(line) = self.line.clone() else { return };
        while let Some(frame) = self.framing.transmit(self.now()) {
            if line.send(frame).await.is_err() {
                break;
            }
        }
        let until = Instant::now() + patience;
        let due = self.framing.due().map_or(until, |due| until.min(self.epoch + Duration::from_millis(due)));
        tokio::select! {
            biased;
            message = line.receive() => match message {
                Some(Message::Binary(frame)) => {
                    let handled = self.framing.handle(self.now(), &frame, &mut |offset| frame.slice(offset..));
                    handled.unwrap_or_else(|fault| panic!("{fault}"));
                }
                Some(Message::Text(text)) => panic!("{text}"),
                None => {
                    self.line = None;
                    self.framing.detach();
                }
            },
            () = sleep_until(due.into()) => {}
        }
    }

    /// Sends a message of the data channel as it is.
    pub(crate) async fn send_raw(&self, message: impl Into<Message>) {
        self.line.as_ref().unwrap().send(message).await.unwrap();
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.framing.send(true, text.as_bytes()).unwrap();
    }

    /// The next message, as text.
    pub(crate) async fn receive(&mut self) -> String {
        let message = self.until(Framing::receive).await;
        String::from_utf8(message.parts.concat()).unwrap()
    }

    /// Sends a transfer whole.
    pub(crate) async fn send_large(&mut self, data: &[u8], info: &Info) -> Transfer {
        let key = self.framing.start(info).unwrap();
        for chunk in data.chunks(64 * 1024) {
            let has_room = |framing: &mut Framing<Bytes>| match framing.transfer(key)? {
                Transfer::Sending { has_room, .. } => has_room.then_some(None),
                over => Some(Some(over)),
            };
            if let Some(over) = self.until(has_room).await {
                return over;
            }
            self.framing.write(key, chunk);
        }
        self.framing.finish(key);
        let over = |framing: &mut Framing<Bytes>| match framing.transfer(key)? {
            Transfer::Sending { .. } => None,
            over => Some(over),
        };
        self.until(over).await
    }

    /// Reads a transfer to its end.
    pub(crate) async fn read_large(&mut self, key: u32) -> (Vec<u8>, Read<Bytes>) {
        let mut data = Vec::new();
        loop {
            match self.until(|framing| framing.read(key)).await {
                Read::Chunk(chunk) => data.extend_from_slice(&chunk),
                end => return (data, end),
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap()
    }
}

pub(crate) fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|number| u8::try_from(number % 251).unwrap()).collect()
}
