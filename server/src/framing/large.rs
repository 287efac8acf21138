//! Large transfers on a channel, in both directions.

use std::{future::poll_fn, io, sync::Arc, task::Poll};

use hola_webrtc_protocol::framing::Info;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::{IncomingLarge, OutgoingLarge};
use crate::channel::End;

/// How much is read at a time from what is sent.
const CHUNK: usize = 16 * 1024;

/// Why a large transfer did not arrive.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LargeError {
    /// The channel was not opened for large transfers.
    #[error("the channel does not speak the framing that large transfers need")]
    NotFramed,
    /// The channel has ended.
    #[error("the channel is closed")]
    Closed,
    /// One of the sides gave it up, in these words.
    #[error("the transfer was given up: {0}")]
    GivenUp(String),
    /// What was to be sent could not be read.
    #[error("what was to be sent cannot be read: {0}")]
    Source(#[from] io::Error),
}

/// The large transfers of a channel. Clones share them; the channel lives as long as one of them, or the channel itself.
///
/// ```
/// # async fn serve(channel: hola_webrtc_server::Channel) -> Result<(), hola_webrtc_server::LargeError> {
/// use hola_webrtc_server::LargeInfo;
///
/// let report: &[u8] = b"anything that is AsyncRead";
/// let info = LargeInfo { name: "report.txt".to_owned(), ..LargeInfo::default() };
/// channel.large().send(report, info).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Large {
    pub(super) end: Arc<End>,
}

impl Large {
    pub(crate) fn new(end: Arc<End>) -> Self {
        Self { end }
    }

    /// Sends all that can be read, in small pieces between the messages of the channel, and waits until the peer has it
    /// and its checksum agrees. Several may be sent at a time. Dropping the future gives the transfer up.
    pub async fn send(&self, mut source: impl AsyncRead + Unpin, info: Info) -> Result<(), LargeError> {
        let transfer = self.start(info).await?;
        let mut buffer = vec![0; CHUNK];
        loop {
            match source.read(&mut buffer).await {
                Ok(0) => return transfer.finish().await,
                Ok(length) => transfer.write(&buffer[..length]).await?,
                Err(error) => {
                    transfer.cancel("the source cannot be read");
                    return Err(error.into());
                }
            }
        }
    }

    /// Begins a transfer that is written piece by piece. Waits while the peer takes no more of them.
    pub async fn start(&self, info: Info) -> Result<OutgoingLarge, LargeError> {
        let talk = self.end.talk().ok_or(LargeError::NotFramed)?;
        let started = poll_fn(|context| {
            let mut inner = talk.lock();
            if inner.has_ended() || inner.framing.is_closing() {
                return Poll::Ready(Err(LargeError::Closed));
            }
            match inner.act(|framing| framing.start(&info)) {
                Some(key) => Poll::Ready(Ok(key)),
                None => inner.wait(context),
            }
        });
        Ok(OutgoingLarge::new(self.end.clone(), started.await?))
    }

    /// The next transfer that the peer begins; `None` once the channel has ended, or if it speaks no framing.
    pub async fn accept(&self) -> Option<IncomingLarge> {
        let talk = self.end.talk()?;
        let (key, info) = poll_fn(|context| {
            let mut inner = talk.lock();
            match inner.framing.accept() {
                Some(accepted) => Poll::Ready(Some(accepted)),
                None if inner.has_ended() => Poll::Ready(None),
                None => inner.wait(context),
            }
        })
        .await?;
        Some(IncomingLarge::new(self.end.clone(), key, info))
    }
}
