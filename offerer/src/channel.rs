//! A data channel as its user sees it.

use std::{fmt, sync::Arc};

use rtc::data_channel::RTCDataChannelId;
use tokio::sync::Notify;

use crate::{
    ChannelOptions, Message, SendError,
    core::Core,
    line::{Line, LineState},
    link::Link,
};

/// An open data channel, cheap to clone: one clone may send while another receives. It lives as long as its
/// connection, or until one side closes it.
#[derive(Clone)]
pub struct Channel {
    link: Arc<Link>,
    id: RTCDataChannelId,
    options: ChannelOptions,
    changed: Arc<Notify>,
}

impl Channel {
    pub(crate) fn new(link: Arc<Link>, id: RTCDataChannelId) -> Option<Self> {
        let of_line =
            |core: &mut Core, _| core.lines.get(&id).map(|line| (line.options.clone(), line.changed.clone()));
        let (options, changed) = link.act(of_line)?;
        Some(Self { link, id, options, changed })
    }

    /// What was agreed on for the channel.
    pub fn options(&self) -> &ChannelOptions {
        &self.options
    }

    /// Sends a message. Waits while more than 1 MiB of this channel is not acknowledged.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = message.into();
        loop {
            let changed = self.changed.notified();
            if self.link.act(|core, now| core.send(now, self.id, &message))? {
                return Ok(());
            }
            changed.await;
        }
    }

    /// Sends a message without waiting. `false` if more than 1 MiB of this channel is not acknowledged: the
    /// message was not sent.
    pub fn try_send(&self, message: &Message) -> Result<bool, SendError> {
        self.link.act(|core, now| core.send(now, self.id, message))
    }

    /// The next message; `None` once the channel is closed and everything has been received.
    pub async fn receive(&self) -> Option<Message> {
        loop {
            let changed = self.changed.notified();
            let (message, is_closed) =
                self.link.act(|core, _| (core.take(self.id), self.state(core) == LineState::Closed));
            if message.is_some() || is_closed {
                return message;
            }
            changed.await;
        }
    }

    /// Waits until the server has acknowledged all that was sent. An error if the channel was closed before.
    pub async fn flush(&self) -> Result<(), SendError> {
        loop {
            let changed = self.changed.notified();
            if self.link.act(|core, _| core.is_flushed(self.id))? {
                return Ok(());
            }
            changed.await;
        }
    }

    /// Closes the channel once everything that was sent is acknowledged, and waits until it is closed.
    pub async fn close(&self) {
        // One that is closed already is what was wanted.
        let _ = self.flush().await;
        self.link.act(|core, _| core.close_line(self.id));
        self.closed().await;
    }

    /// Waits until the channel is closed.
    pub async fn closed(&self) {
        self.reach(LineState::Closed).await;
    }

    /// Whether the channel is open.
    pub fn is_open(&self) -> bool {
        self.link.act(|core, _| self.state(core)) == LineState::Open
    }

    /// Waits until the channel is in this state, or closed.
    pub(crate) async fn reach(&self, wanted: LineState) -> LineState {
        loop {
            let changed = self.changed.notified();
            let state = self.link.act(|core, _| self.state(core));
            if state == wanted || state == LineState::Closed {
                return state;
            }
            changed.await;
        }
    }

    fn state(&self, core: &Core) -> LineState {
        core.lines.get(&self.id).map_or(LineState::Closed, |line: &Line| line.state)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("options", &self.options).finish_non_exhaustive()
    }
}
