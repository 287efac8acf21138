//! A message, and why one could not be sent.

/// A message of a data channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// A text, sent as UTF-8.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl Message {
    /// How many bytes it takes on the wire, without any header.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no content. Empty messages arrive as any other.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_owned())
    }
}

/// Why a message was not sent. None of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel is not open: not yet, or no longer.
    #[error("the channel is not open")]
    NotOpen,
    /// The other side takes no message of this size
    /// ([W3C, `maxMessageSize`](https://www.w3.org/TR/webrtc/#dom-rtcsctptransport-maxmessagesize)).
    #[error("the message has {size} bytes, and the other side takes at most {limit}")]
    TooLarge {
        /// The message's size in bytes.
        size: usize,
        /// The largest size that was negotiated, in bytes.
        limit: u32,
    },
    /// [`HIGH_WATER`](crate::HIGH_WATER) is reached: wait until the channel is ready, and try again.
    #[error("{buffered} bytes already wait to be sent")]
    Full {
        /// How many bytes wait.
        buffered: u32,
    },
    /// The browser would not, in its own words.
    #[error("the browser did not send the message: {0}")]
    Js(String),
}

impl SendError {
    /// A stable name, as in `too-large`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotOpen => "not-open",
            Self::TooLarge { .. } => "too-large",
            Self::Full { .. } => "full",
            Self::Js(_) => "js",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_was_wrong() {
        let told = |error: SendError| error.to_string();
        assert_eq!(told(SendError::NotOpen), "the channel is not open");
        assert_eq!(
            told(SendError::TooLarge { size: 262_145, limit: 262_144 }),
            "the message has 262145 bytes, and the other side takes at most 262144"
        );
        assert_eq!(told(SendError::Full { buffered: 7 }), "7 bytes already wait to be sent");
        assert_eq!(told(SendError::Js("gone".into())), "the browser did not send the message: gone");
    }
}
