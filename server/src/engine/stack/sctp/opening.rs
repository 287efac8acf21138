//! How channels open on SCTP's streams: announced by either side, or negotiated beforehand.

use std::time::Instant;

use bytes::Bytes;
use rtc_sctp::{Chunks, PayloadProtocolIdentifier, ReliabilityType};
use rtc_shared::error::Result;

use super::{
    super::{
        Incoming,
        dcep::{self, Control, Reliability},
    },
    Sctp, Stage,
};
use crate::{channel::ChannelParameters, session::ChannelOptions};

impl Sctp {
    /// Opens a channel, at once if it is negotiated, else once the peer has confirmed it.
    pub(in crate::engine::stack) fn open(
        &mut self,
        now: Instant,
        label: &str,
        options: ChannelOptions,
    ) -> std::result::Result<(u16, Option<ChannelParameters>), String> {
        let ChannelOptions { ordered, max_retransmits, max_packet_life_time, protocol, negotiated } = options;
        if max_retransmits.is_some() && max_packet_life_time.is_some() {
            return Err("a channel is limited in retransmissions or in time, not in both".to_owned());
        }
        let stream = match negotiated {
            Some(u16::MAX) => return Err("there is no stream 65535".to_owned()),
            Some(stream) if !self.is_free(stream) => return Err(format!("stream {stream} is in use")),
            Some(stream) => stream,
            None => self.free_stream().ok_or("every stream is in use")?,
        };
        let parameters = ChannelParameters {
            label: label.to_owned(),
            protocol,
            id: stream,
            negotiated: negotiated.is_some(),
            ordered,
            max_retransmits,
            max_packet_life_time,
        };
        if dcep::length(&parameters) > self.max_message_size {
            return Err("the label and the protocol are too long".to_owned());
        }
        self.prepare(&parameters).map_err(|error| error.to_string())?;
        if negotiated.is_some() {
            self.channels.insert(stream, Stage::Open);
            return Ok((stream, Some(parameters)));
        }
        let announced = dcep::open(&parameters).and_then(|open| self.control(now, stream, &open));
        announced.map_err(|error| error.to_string())?;
        self.channels.insert(stream, Stage::Opening(parameters));
        Ok((stream, None))
    }

    /// Acts on a message about the channel.
    pub(super) fn obey(&mut self, now: Instant, stream: u16, chunks: &Chunks) -> Option<Incoming> {
        let control = chunks.to_payload(self.max_message_size).map(|message| dcep::read(stream, message));
        match (control, self.channels.get_mut(&stream)) {
            (Ok(Control::Open(parameters)), None) => {
                let accepted = self
                    .prepare(&parameters)
                    .and_then(|()| dcep::ack())
                    .and_then(|ack| self.control(now, stream, &ack));
                accepted.ok()?;
                self.channels.insert(stream, Stage::Open);
                Some(Incoming::Opened(parameters))
            }
            (Ok(Control::Ack), Some(stage)) => match std::mem::replace(stage, Stage::Open) {
                Stage::Opening(parameters) => Some(Incoming::Opened(parameters)),
                Stage::Open => None,
            },
            // What opens no channel leaves no stream behind. https://www.rfc-editor.org/rfc/rfc8832#section-6
            (_, None) => {
                self.close(now, stream);
                None
            }
            (_, Some(_)) => None,
        }
    }

    /// Lets the stream send as the channel's parameters say.
    fn prepare(&mut self, parameters: &ChannelParameters) -> Result<()> {
        let Reliability { is_unordered, kind, limit } = Reliability::of(parameters);
        let limit = if kind == ReliabilityType::Timed { self.clock.milliseconds(limit) } else { limit };
        self.recovery.open(parameters.id, kind == ReliabilityType::Reliable);
        let association = &mut self.association;
        // The peer may have been first to send on it.
        let mut stream = if association.stream_ids().contains(&parameters.id) {
            association.stream(parameters.id)?
        } else {
            association.open_stream(parameters.id, PayloadProtocolIdentifier::Binary)?
        };
        stream.set_reliability_params(is_unordered, kind, limit)
    }

    fn control(&mut self, now: Instant, stream: u16, message: &Bytes) -> Result<()> {
        let dcep = PayloadProtocolIdentifier::Dcep;
        let now = self.clock.told(now);
        self.association.stream(stream)?.write_chunk_with_ppi(now, message, dcep)?;
        Ok(())
    }

    fn is_free(&self, stream: u16) -> bool {
        !self.channels.contains_key(&stream) && !self.resetting.contains(&stream)
    }

    /// The DTLS client takes the even ones (RFC 8832, 6).
    fn free_stream(&self) -> Option<u16> {
        let streams = self.association.negotiated_max_streams()?;
        let taken = self.association.stream_ids();
        (0..streams).step_by(2).find(|stream| self.is_free(*stream) && !taken.contains(stream))
    }
}
