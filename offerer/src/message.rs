//! What goes over a data channel.

use bytes::Bytes;
use rtc::data_channel::RTCDataChannelMessage;

/// A message on a data channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text, UTF-8.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// The payload, whatever its kind.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }

    /// The length of the payload in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there is no payload. Empty messages are messages all the same.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

/// Text that is not UTF-8 is the server's fault, and shows.
impl From<RTCDataChannelMessage> for Message {
    fn from(message: RTCDataChannelMessage) -> Self {
        if message.is_string {
            Self::Text(String::from_utf8_lossy(&message.data).into_owned())
        } else {
            Self::Binary(message.data.freeze())
        }
    }
}
