//! A channel's work, by its label (README.md).

use anyhow::Result;
use bytes::BytesMut;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// Does it until the channel closes.
pub async fn attend(channel: &dyn DataChannel) -> Result<()> {
    let label = channel.label().await?;
    let mut received = 0;
    while let Some(event) = channel.poll().await {
        let message = match event {
            DataChannelEvent::OnMessage(message) => message,
            DataChannelEvent::OnClose => break,
            _ => continue,
        };
        match (&*label, message.is_string) {
            ("sink", false) => received += message.data.len(),
            ("sink", true) => channel.send_text(&received.to_string()).await?,
            ("source", _) => {
                let text = String::from_utf8_lossy(&message.data);
                let mut numbers = text.split(' ').filter_map(|number| number.parse().ok());
                let (size, count) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
                for _ in 0..count {
                    channel.send(BytesMut::zeroed(size)).await?;
                }
            }
            (_, true) => channel.send_text(&String::from_utf8_lossy(&message.data)).await?,
            (_, false) => channel.send(message.data).await?,
        }
    }
    Ok(())
}
