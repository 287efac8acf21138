//! What is read off SCTP's streams.

use std::time::Instant;

use bytes::Bytes;
use rtc_sctp::{Chunks, PayloadProtocolIdentifier};

use super::{super::Incoming, Sctp, Stage};
use crate::{channel::Message, session::ChannelClosed};

impl Sctp {
    /// The next message, or channel that the peer has opened or confirmed. What comes on a channel that has no room
    /// stays in SCTP, whose receive window shrinks.
    pub(in crate::engine::stack) fn poll_read(
        &mut self,
        now: Instant,
        mut has_room: impl FnMut(u16) -> bool,
    ) -> Option<Incoming> {
        if let Some(incoming) = self.read.take() {
            return Some(incoming);
        }
        if !self.is_up {
            return None;
        }
        let channels = &self.channels;
        if let Some((stream, message)) =
            self.early.next(|stream| channels.contains_key(&stream) && has_room(stream))
        {
            return Some(Incoming::Message(stream, message));
        }
        loop {
            let mut streams = self.readable.iter().copied();
            let Some(stream) =
                streams.find(|stream| !self.channels.contains_key(stream) || has_room(*stream))
            else {
                self.end_once_all_is_read(now);
                return None;
            };
            let Some(chunks) = self.next_message(stream) else { continue };
            let incoming = self.interpret(now, stream, &chunks);
            // A reset by the peer may have waited for its last message to be read.
            self.look();
            match incoming {
                // It was closed in the same breath.
                Some(Incoming::Opened(_)) if !self.channels.contains_key(&stream) => self.read = None,
                None => {}
                incoming => return incoming,
            }
        }
    }

    /// rtc-sctp forgets what is unread when the peer ends the association, so it learns of the end last.
    fn end_once_all_is_read(&mut self, now: Instant) {
        if let Some(abort) = self.abort.take_if(|_| self.readable.is_empty()) {
            self.take_in(now, abort.freeze());
        }
    }

    pub(super) fn next_message(&mut self, stream: u16) -> Option<Chunks> {
        let chunks = self.association.stream(stream).and_then(|mut stream| stream.read_sctp()).ok().flatten();
        if let Some(chunks) = &chunks {
            self.meter.read(chunks.len(), chunks.chunks.len());
        } else {
            self.readable.remove(&stream);
        }
        chunks
    }

    fn interpret(&mut self, now: Instant, stream: u16, chunks: &Chunks) -> Option<Incoming> {
        if chunks.ppi == PayloadProtocolIdentifier::Dcep {
            return self.obey(now, stream, chunks);
        }
        let message = match message(chunks, self.max_message_size) {
            Ok(message) => Incoming::Message(stream, message),
            Err(reason) => Incoming::Fault(stream, reason),
        };
        match self.channels.get_mut(&stream) {
            // Its channel may be a negotiated one that the handler has yet to create.
            None => {
                let is_kept = match message {
                    _ if self.resetting.contains(&stream) => true,
                    Incoming::Message(_, message) => self.early.keep(stream, message),
                    _ => false,
                };
                // A peer whose messages are lost is to know of it.
                if !is_kept {
                    self.close(now, stream);
                }
                None
            }
            Some(Stage::Open) => Some(message),
            // Its peer knows of the channel, and the confirmation comes behind: the stream may be unordered.
            Some(stage) => match std::mem::replace(stage, Stage::Open) {
                Stage::Opening(parameters) => {
                    self.read = Some(message);
                    Some(Incoming::Opened(parameters))
                }
                Stage::Open => Some(message),
            },
        }
    }
}

fn message(chunks: &Chunks, maximum: usize) -> Result<Message, ChannelClosed> {
    use PayloadProtocolIdentifier::{BinaryEmpty, String as Text, StringEmpty};
    match chunks.ppi {
        StringEmpty => return Ok(Message::Text(String::new())),
        BinaryEmpty => return Ok(Message::Binary(Bytes::new())),
        _ => {}
    }
    let bytes = chunks.to_payload(maximum).map_err(|_| ChannelClosed::TooLarge)?;
    if chunks.ppi == Text {
        String::from_utf8(bytes.into()).map(Message::Text).map_err(|_| ChannelClosed::NotUtf8)
    } else {
        Ok(Message::Binary(bytes.freeze()))
    }
}
