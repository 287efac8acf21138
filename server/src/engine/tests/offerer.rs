//! The other end: `rtc` as a browser would use it, in virtual time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use hola_webrtc_protocol::sdp;
use rtc::{
    data_channel::{RTCDataChannelId, RTCDataChannelInit, RTCDataChannelMessage, RTCDataChannelState},
    ice::mdns::MulticastDnsMode,
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        configuration::setting_engine::{SctpMaxMessageSize, SettingEngineBuilder},
        message::{RTCMessage, TaggedRTCMessage},
        sdp::RTCSessionDescription,
        transport::RTCIceCandidateInit,
    },
    sansio::Protocol,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol},
};

use crate::{answer::IceCredentials, channel::Message};

pub(super) struct Offerer {
    connection: RTCPeerConnection,
    channel: RTCDataChannelId,
    address: SocketAddr,
    pub(super) received: Vec<Message>,
    /// Leaves what arrives unread.
    pub(super) is_deaf: bool,
}

impl Offerer {
    pub(super) fn new(now: Instant, address: SocketAddr, label: &str) -> Self {
        Self::with_max_message_size(now, address, label, SctpMaxMessageSize::DEFAULT_MESSAGE_SIZE)
    }

    /// One that takes, and if it is let, sends messages up to this size.
    pub(super) fn with_max_message_size(now: Instant, address: SocketAddr, label: &str, size: u32) -> Self {
        let settings = SettingEngineBuilder::new()
            .with_discard_local_candidates_during_ice_restart(true)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(size))
            .with_ice_connection_attempts(Some(Duration::from_millis(20)), Some(400));
        let mut connection =
            RTCPeerConnectionBuilder::new().with_setting_engine(settings.build()).build(now).unwrap();
        let channel = connection.create_data_channel(label, None).unwrap().id();
        let offer = connection.create_offer(None).unwrap();
        connection.set_local_description(now, offer).unwrap();
        let mut offerer = Self { connection, channel, address, received: Vec::new(), is_deaf: false };
        offerer.add_candidate();
        offerer
    }

    fn add_candidate(&mut self) {
        let (ip, port) = (self.address.ip(), self.address.port());
        let candidate = format!("candidate:1 1 udp 2130706431 {ip} {port} typ host");
        let candidate = RTCIceCandidateInit { candidate, ..Default::default() };
        self.connection.add_local_candidate(candidate).unwrap();
    }

    pub(super) fn offer(&self) -> String {
        self.connection.local_description().unwrap().sdp
    }

    pub(super) fn accept_answer(&mut self, now: Instant, sdp: &str) {
        let answer = RTCSessionDescription::answer(sdp.to_owned()).unwrap();
        self.connection.set_remote_description(now, answer).unwrap();
    }

    /// Restarts ICE from another address; the new credentials are for the server.
    pub(super) fn restart_ice(&mut self, now: Instant, address: SocketAddr) -> IceCredentials {
        self.address = address;
        self.connection.restart_ice();
        let offer = self.connection.create_offer(None).unwrap();
        self.connection.set_local_description(now, offer).unwrap();
        self.add_candidate();
        let offer = self.offer();
        let attribute = |name| sdp::attribute(&offer, name).unwrap().to_owned();
        IceCredentials { ufrag: attribute("ice-ufrag"), password: attribute("ice-pwd") }
    }

    /// The server's part of the restart: the answer differs from the one before in its credentials alone.
    pub(super) fn accept_restart(&mut self, now: Instant, server: &IceCredentials) {
        self.accept_restart_at(now, server, super::server_address());
    }

    /// The same, of a server that is at another address now.
    pub(super) fn accept_restart_at(&mut self, now: Instant, server: &IceCredentials, address: SocketAddr) {
        let before = &self.connection.remote_description().unwrap().sdp;
        let [before_at, at] =
            [super::server_address(), address].map(|at| format!(" {} {} ", at.ip(), at.port()));
        let before = before.replace(&before_at, &at);
        let answer = sdp::with_credentials(&before, &server.ufrag, &server.password);
        self.accept_answer(now, &answer);
    }

    pub(super) fn is_open(&mut self) -> bool {
        self.channel_state() == Some(RTCDataChannelState::Open)
    }

    /// `None` once the channel is gone.
    pub(super) fn channel_state(&mut self) -> Option<RTCDataChannelState> {
        Some(self.connection.data_channel(self.channel)?.ready_state())
    }

    pub(super) fn send(&mut self, now: Instant, message: Message) {
        let mut channel = self.connection.data_channel(self.channel).unwrap();
        match message {
            Message::Text(text) => channel.send_text(now, text).unwrap(),
            Message::Binary(bytes) => channel.send(now, bytes.into()).unwrap(),
        }
    }

    /// Sends two bytes as a text, which they are not.
    pub(super) fn send_invalid_text(&mut self, now: Instant) {
        let message = RTCDataChannelMessage { is_string: true, data: BytesMut::from(&[0xc3, 0x28][..]) };
        let message = RTCMessage::DataChannelMessage(self.channel, message);
        self.connection.handle_write(TaggedRTCMessage { now, message }).unwrap();
    }

    /// Opens one more channel.
    pub(super) fn open(&mut self, label: &str) -> RTCDataChannelId {
        self.open_with(label, RTCDataChannelInit::default())
    }

    /// Opens one more channel, with options.
    pub(super) fn open_with(&mut self, label: &str, options: RTCDataChannelInit) -> RTCDataChannelId {
        self.connection.create_data_channel(label, Some(options)).unwrap().id()
    }

    /// Takes a stream that the other side may want to open a channel on.
    pub(super) fn occupy(&mut self, stream: u16) -> RTCDataChannelId {
        let options = RTCDataChannelInit { negotiated: Some(stream), ..Default::default() };
        self.connection.create_data_channel("", Some(options)).unwrap().id()
    }

    pub(super) fn send_on(&mut self, now: Instant, channel: RTCDataChannelId, text: &str) {
        self.connection.data_channel(channel).unwrap().send_text(now, text.to_owned()).unwrap();
    }

    pub(super) fn close_stream(&mut self, channel: RTCDataChannelId) {
        self.connection.data_channel(channel).unwrap().close().unwrap();
    }

    pub(super) fn close_channel(&mut self) {
        self.connection.data_channel(self.channel).unwrap().close().unwrap();
    }

    pub(super) fn close(&mut self) {
        self.connection.close().unwrap();
    }

    pub(super) fn receive(&mut self, now: Instant, from: SocketAddr, message: BytesMut) {
        let transport = TransportContext {
            local_addr: self.address,
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        // What the connection refuses, it drops.
        let _ = self.connection.handle_read(TaggedBytesMut { now, transport, message });
    }

    pub(super) fn drive(&mut self, now: Instant) -> Vec<BytesMut> {
        if self.connection.poll_timeout().is_some_and(|due| due <= now) {
            // What fails shows in the state of the connection.
            let _ = self.connection.handle_timeout(now);
        }
        let mut datagrams = Vec::new();
        loop {
            let mut moved = false;
            while self.connection.poll_event().is_some() {
                moved = true;
            }
            while !self.is_deaf
                && let Some(message) = self.connection.poll_read()
            {
                moved = true;
                if let RTCMessage::DataChannelMessage(_, message) = message.message {
                    self.received.push(if message.is_string {
                        Message::Text(String::from_utf8(message.data.to_vec()).unwrap())
                    } else {
                        Message::Binary(message.data.freeze())
                    });
                }
            }
            while let Some(datagram) = self.connection.poll_write() {
                moved = true;
                datagrams.push(datagram.message);
            }
            if !moved {
                return datagrams;
            }
        }
    }

    pub(super) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        self.connection.poll_timeout().map(|due| due.max(now + Duration::from_millis(1)))
    }
}
