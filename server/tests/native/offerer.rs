//! The other end: the `webrtc` crate, used as a page uses its browser.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use hola_webrtc_server::Message;
use rtc::ice::mdns::MulticastDnsMode;
use tokio::{
    sync::watch,
    time::{error::Elapsed, timeout},
};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
        RTCSessionDescription, SettingEngineBuilder,
    },
};

use crate::common::SOON;

/// A peer connection that gathers completely before it offers.
pub(crate) struct Offerer {
    connection: Arc<dyn PeerConnection>,
    gathering: watch::Receiver<RTCIceGatheringState>,
}

impl Offerer {
    /// A peer connection with one socket, bound to this address.
    pub(crate) async fn new(ip: IpAddr) -> Self {
        let (sender, gathering) = watch::channel(RTCIceGatheringState::New);
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            // A browser checks about as often; the default of 200 ms would hide what the server does.
            .with_ice_connection_attempts(Some(Duration::from_millis(20)), Some(400))
            .build();
        let built = PeerConnectionBuilder::new()
            .with_setting_engine(settings)
            .with_handler(Arc::new(Observer(sender)))
            .with_udp_addrs(vec![SocketAddr::new(ip, 0)])
            .build();
        // Its future has 20 KB, which every test's would hold as well.
        let connection = Box::pin(built).await.unwrap();
        Self { connection: Arc::new(connection), gathering }
    }

    /// Creates a reliable, ordered channel.
    pub(crate) async fn channel(&self, label: &str) -> Line {
        self.channel_with(label, RTCDataChannelInit::default()).await
    }

    /// Creates a channel.
    pub(crate) async fn channel_with(&self, label: &str, options: RTCDataChannelInit) -> Line {
        Line { channel: self.connection.create_data_channel(label, Some(options)).await.unwrap() }
    }

    /// The offer, with every candidate.
    pub(crate) async fn offer(&mut self) -> String {
        let offer = self.connection.create_offer(None).await.unwrap();
        self.connection.set_local_description(offer).await.unwrap();
        let complete = self.gathering.wait_for(|state| *state == RTCIceGatheringState::Complete);
        timeout(SOON, complete).await.expect("gathering ends in time").unwrap();
        self.connection.local_description().await.unwrap().sdp
    }

    /// Takes the answer.
    pub(crate) async fn accept(&self, answer: &str) {
        let answer = RTCSessionDescription::answer(answer.to_owned()).unwrap();
        self.connection.set_remote_description(answer).await.unwrap();
    }

    /// Closes the connection and tells the server.
    pub(crate) async fn close(&self) {
        self.connection.close().await.unwrap();
    }
}

struct Observer(watch::Sender<RTCIceGatheringState>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Observer {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.0.send_replace(state);
    }
}

/// A data channel of the offerer.
pub(crate) struct Line {
    channel: Arc<dyn DataChannel>,
}

impl Line {
    /// Waits until the channel is open.
    pub(crate) async fn opened(&self) {
        let event = timeout(SOON, self.channel.poll()).await.expect("the channel opens in time");
        assert!(matches!(event, Some(DataChannelEvent::OnOpen)), "{event:?}");
    }

    pub(crate) async fn send(&self, message: &Message) {
        match message {
            Message::Text(text) => self.channel.send_text(text).await.unwrap(),
            Message::Binary(bytes) => self.channel.send(BytesMut::from(bytes.clone())).await.unwrap(),
        }
    }

    /// The next message; `None` once the channel is closed.
    pub(crate) async fn next(&self) -> Option<Message> {
        self.next_within(SOON).await.expect("a message or the end comes in time")
    }

    async fn next_within(&self, time: Duration) -> Result<Option<Message>, Elapsed> {
        let message = async {
            loop {
                match self.channel.poll().await? {
                    DataChannelEvent::OnMessage(message) => return Some(message),
                    DataChannelEvent::OnClosing | DataChannelEvent::OnClose => return None,
                    DataChannelEvent::OnBufferedAmountLow => {}
                    event => panic!("{event:?}"),
                }
            }
        };
        let Some(message) = timeout(time, message).await? else { return Ok(None) };
        Ok(Some(if message.is_string {
            Message::Text(String::from_utf8(message.data.to_vec()).unwrap())
        } else {
            Message::Binary(message.data.freeze())
        }))
    }

    /// The next message, which is a text.
    pub(crate) async fn next_text(&self) -> String {
        match self.next().await {
            Some(Message::Text(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    /// Sends the messages and expects them back, unchanged and in order.
    pub(crate) async fn assert_echoes(&self, messages: &[Message]) {
        for message in messages {
            self.send(message).await;
        }
        for message in messages {
            let echoed = self.next().await;
            let lengths = (echoed.as_ref().map(Message::len), message.len());
            assert!(echoed.as_ref() == Some(message), "received and sent: {lengths:?}");
        }
    }

    /// Sends the message until it comes back: the channel may lose it, or what comes back.
    pub(crate) async fn assert_echoes_at_last(&self, message: &Message) {
        for _ in 0..20 {
            self.send(message).await;
            // What comes back late is of an earlier try.
            while let Ok(echoed) = self.next_within(SOON / 10).await {
                if echoed.as_ref() == Some(message) {
                    return;
                }
            }
        }
        panic!("it never comes back");
    }

    pub(crate) async fn close(&self) {
        self.channel.close().await.unwrap();
    }
}
