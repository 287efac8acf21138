//! A data channel as its connection keeps it.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::Notify;

use crate::{ChannelOptions, Message};

/// A data channel.
pub(crate) struct Line {
    pub(crate) options: ChannelOptions,
    pub(crate) state: LineState,
    pub(crate) received: VecDeque<Message>,
    /// Told whenever a reader or a sender that waits may go on.
    pub(crate) changed: Arc<Notify>,
    /// How many bytes were sent and not acknowledged when the connection last had the channel.
    pub(crate) unacknowledged: usize,
    /// Who waits for this many unacknowledged bytes, or fewer, is told by `changed`.
    pub(crate) awaited: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineState {
    Connecting,
    Open,
    Closed,
}

impl Line {
    pub(crate) fn new(options: ChannelOptions, state: LineState) -> Self {
        let (received, changed) = (VecDeque::new(), Arc::default());
        Self { options, state, received, changed, unacknowledged: 0, awaited: None }
    }

    /// Whoever of several waits for the most hears first; the others then wait anew.
    pub(crate) fn await_bytes(&mut self, bytes: usize) {
        self.awaited = Some(self.awaited.unwrap_or_default().max(bytes));
    }
}
