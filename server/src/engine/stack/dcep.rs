//! How a data channel is announced to the other side (RFC 8832).

use bytes::{Bytes, BytesMut};
use rtc_datachannel::{
    data_channel::DataChannel,
    message::{
        Message,
        message_channel_ack::DataChannelAck,
        message_channel_open::{CHANNEL_PRIORITY_NORMAL, DataChannelOpen},
    },
};
use rtc_sctp::ReliabilityType;
use rtc_shared::{
    error::Result,
    marshal::{Marshal, Unmarshal},
};

use crate::channel::ChannelParameters;

/// What `DATA_CHANNEL_OPEN` has beside the label and the protocol.
const OPEN_HEADER: usize = 12;

/// What one side tells the other on a channel's stream.
pub(super) enum Control {
    Open(ChannelParameters),
    Ack,
    /// Neither, or an announcement that is malformed.
    Invalid,
}

/// How a stream is to send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reliability {
    pub(super) is_unordered: bool,
    pub(super) kind: ReliabilityType,
    pub(super) limit: u32,
}

impl Reliability {
    pub(super) fn of(parameters: &ChannelParameters) -> Self {
        let (kind, limit) = match (parameters.max_retransmits, parameters.max_packet_life_time) {
            (Some(times), _) => (ReliabilityType::Rexmit, times.into()),
            (None, Some(milliseconds)) => (ReliabilityType::Timed, milliseconds.into()),
            (None, None) => (ReliabilityType::Reliable, 0),
        };
        Self { is_unordered: !parameters.ordered, kind, limit }
    }
}

/// How long the announcement of a channel is.
pub(super) fn length(parameters: &ChannelParameters) -> usize {
    OPEN_HEADER + parameters.label.len() + parameters.protocol.len()
}

/// The announcement of a channel.
pub(super) fn open(parameters: &ChannelParameters) -> Result<Bytes> {
    let (channel_type, reliability_parameter) = DataChannel::get_channel_type_and_reliability_parameter(
        parameters.ordered,
        parameters.max_retransmits,
        parameters.max_packet_life_time,
    );
    let message = DataChannelOpen {
        channel_type,
        priority: CHANNEL_PRIORITY_NORMAL,
        reliability_parameter,
        label: parameters.label.clone().into_bytes(),
        protocol: parameters.protocol.clone().into_bytes(),
    };
    Ok(Message::DataChannelOpen(message).marshal()?.freeze())
}

/// The reply to an announcement.
pub(super) fn ack() -> Result<Bytes> {
    Ok(Message::DataChannelAck(DataChannelAck {}).marshal()?.freeze())
}

pub(super) fn read(stream: u16, mut message: BytesMut) -> Control {
    match Message::unmarshal(&mut message) {
        Ok(Message::DataChannelOpen(open)) => announced(stream, open).map_or(Control::Invalid, Control::Open),
        Ok(Message::DataChannelAck(_)) => Control::Ack,
        _ => Control::Invalid,
    }
}

fn announced(stream: u16, open: DataChannelOpen) -> Option<ChannelParameters> {
    let (is_unordered, kind) = DataChannel::get_reliability_params(open.channel_type);
    // The parameter has 32 bits, and what a browser can ask for has 16.
    let limit = u16::try_from(open.reliability_parameter).unwrap_or(u16::MAX);
    Some(ChannelParameters {
        label: String::from_utf8(open.label).ok()?,
        protocol: String::from_utf8(open.protocol).ok()?,
        id: stream,
        negotiated: false,
        ordered: !is_unordered,
        max_retransmits: (kind == ReliabilityType::Rexmit).then_some(limit),
        max_packet_life_time: (kind == ReliabilityType::Timed).then_some(limit),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_understood() {
        for (ordered, max_retransmits, max_packet_life_time) in [
            (true, None, None),
            (false, None, None),
            (true, Some(0), None),
            (false, Some(u16::MAX), None),
            (true, None, Some(100)),
            (false, None, Some(1)),
        ] {
            let parameters = ChannelParameters {
                label: "ñandú".to_owned(),
                protocol: "chat".to_owned(),
                id: 7,
                negotiated: false,
                ordered,
                max_retransmits,
                max_packet_life_time,
            };
            let message = open(&parameters).unwrap();
            assert_eq!(message.len(), length(&parameters));
            let Control::Open(understood) = read(7, BytesMut::from(&message[..])) else { panic!() };
            assert_eq!(understood, parameters);
        }
        assert!(matches!(read(1, BytesMut::from(&ack().unwrap()[..])), Control::Ack));
    }

    #[test]
    fn what_is_malformed_announces_nothing() {
        let names = |label: &[u8]| {
            let mut message = vec![3, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0];
            message.extend(label);
            message
        };
        assert!(matches!(read(1, BytesMut::from(&names(b"ok")[..])), Control::Open(_)));
        for message in [&names(b"\xff\xff")[..], &names(b"x")[..], b"\x03", b"\x01", b""] {
            assert!(matches!(read(1, BytesMut::from(message)), Control::Invalid), "{message:?}");
        }
    }
}
