//! The handler's end of a channel, with or without the framing between it and the data channel.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::{ChannelParameters, Message, Pipe, SendError, Undelivered};
use crate::framing::Talk;

/// The handler's end of a channel; dropping it closes the channel.
pub(crate) struct End {
    way: Way,
    parameters: ChannelParameters,
}

enum Way {
    /// Each message is one of the data channel.
    Plain(Arc<Pipe>),
    /// Each message of the data channel is a frame.
    Framed(Arc<Talk>),
}

impl End {
    pub(super) fn plain(pipe: Arc<Pipe>, parameters: ChannelParameters) -> Self {
        Self { way: Way::Plain(pipe), parameters }
    }

    pub(super) fn framed(talk: Arc<Talk>, parameters: ChannelParameters) -> Self {
        Self { way: Way::Framed(talk), parameters }
    }

    pub(super) fn parameters(&self) -> &ChannelParameters {
        &self.parameters
    }

    /// What speaks the framing, if it is spoken.
    pub(crate) fn talk(&self) -> Option<&Talk> {
        match &self.way {
            Way::Plain(_) => None,
            Way::Framed(talk) => Some(talk),
        }
    }

    pub(super) fn max_message_size(&self) -> usize {
        match &self.way {
            Way::Plain(pipe) => pipe.max_message_size(),
            Way::Framed(talk) => talk.max_message_size(),
        }
    }

    pub(super) fn take_undelivered(&self) -> Vec<Undelivered> {
        self.talk().map(Talk::take_undelivered).unwrap_or_default()
    }

    pub(super) fn hold(&self, before: usize, now: usize) {
        if let Way::Plain(pipe) = &self.way {
            pipe.hold(before, now);
        }
    }

    pub(super) fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        match &self.way {
            Way::Plain(pipe) => pipe.poll_receive(context),
            Way::Framed(talk) => talk.poll_receive(context),
        }
    }

    pub(super) fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        match &self.way {
            Way::Plain(pipe) => pipe.poll_ready(context),
            Way::Framed(talk) => talk.poll_ready(context),
        }
    }

    pub(super) fn send(&self, message: Message) -> Result<(), SendError> {
        match &self.way {
            Way::Plain(pipe) => pipe.send(message),
            Way::Framed(talk) => talk.send(&message),
        }
    }

    pub(super) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        match &self.way {
            Way::Plain(pipe) => pipe.poll_flush(context),
            Way::Framed(talk) => talk.poll_flush(context),
        }
    }

    pub(super) fn poll_close(&self, context: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        match &self.way {
            Way::Plain(pipe) => match pipe.poll_flush(context) {
                Poll::Ready(Ok(())) => {
                    pipe.leave();
                    Poll::Ready(Ok(()))
                }
                // Closed by the other side: there is nothing left to close.
                Poll::Ready(Err(_)) => Poll::Ready(Ok(())),
                Poll::Pending => Poll::Pending,
            },
            Way::Framed(talk) => talk.poll_close(context),
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        match &self.way {
            Way::Plain(pipe) => pipe.leave(),
            Way::Framed(talk) => talk.leave(),
        }
    }
}
