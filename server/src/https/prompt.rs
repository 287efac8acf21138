//! A client that does not begin to speak is let go, as is one that takes nothing of a reply; and one is counted that was
//! let go because it did not finish.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hola_webrtc_server::{Limit, Metrics};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{heads::Heads, progress::Progress};

/// A stream whose client has to begin in time.
///
/// To tell HTTP/2 from HTTP/1.1, hyper-util waits without a limit for as many bytes as the preface of HTTP/2 has; its
/// own limits count only from then on.
pub(super) struct Prompt<S> {
    stream: S,
    metrics: Arc<Metrics>,
    received: usize,
    deadline: Option<Pin<Box<Sleep>>>,
    /// In HTTP/1.1, until the client was let go here.
    heads: Option<Heads>,
    /// In HTTP/2, what the client has to take, and when to look whether it does.
    replies: Option<Replies>,
}

struct Replies {
    progress: Progress,
    patience: Duration,
    look: Pin<Box<Sleep>>,
}

impl<S> Prompt<S> {
    pub(super) fn new(stream: S, is_http2: bool, patience: Duration, metrics: Arc<Metrics>) -> Self {
        let heads = (!is_http2).then(|| Heads::new(patience));
        let deadline = Some(Box::pin(sleep(patience)));
        Self { stream, metrics, received: 0, deadline, heads, replies: None }
    }

    /// Lets the client go if it takes nothing of a reply for so long.
    pub(super) fn expect(&mut self, progress: Progress, patience: Duration) {
        self.replies = Some(Replies { progress, patience, look: Box::pin(sleep(patience)) });
    }

    /// Ready when a reply has waited for too long.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Replies { progress, patience, look }) = &mut self.replies else { return Poll::Pending };
        loop {
            ready!(look.as_mut().poll(cx));
            match progress.next_look(*patience) {
                Some(next) => look.as_mut().reset(next),
                None => return Poll::Ready(()),
            }
        }
    }

    fn note_written(&mut self, written: &Poll<io::Result<usize>>) {
        if let (Poll::Ready(Ok(_)), Some(heads)) = (written, &mut self.heads) {
            heads.replied();
        }
    }
}

/// The preface of HTTP/2 (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl<S> Drop for Prompt<S> {
    fn drop(&mut self) {
        if self.heads.as_ref().is_some_and(Heads::is_late) {
            self.metrics.limit_reached(Limit::HeaderTimeout);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            let came = &buffer.filled()[filled..];
            self.received = self.received.saturating_add(came.len());
            if let Some(heads) = &mut self.heads {
                heads.received(came);
            }
            if self.received >= PREFACE.len() {
                self.deadline = None;
            }
            return Poll::Ready(read);
        }
        if self.poll_stalled(cx).is_ready() {
            self.replies = None;
            self.metrics.limit_reached(Limit::WriteTimeout);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        (self.deadline, self.heads) = (None, None);
        self.metrics.limit_reached(Limit::HeaderTimeout);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_written(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.note_written(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn prompt<S>(stream: S) -> Prompt<S> {
        Prompt::new(stream, false, PATIENCE, Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_begin_in_time_is_let_go() {
        let (mut client, server) = duplex(64);
        client.write_all(&PREFACE[..PREFACE.len() - 1]).await.unwrap();
        let mut server = prompt(server);
        let mut received = Vec::new();
        let error = server.read_to_end(&mut received).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(received.len(), PREFACE.len() - 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_began_may_be_silent() {
        let (mut client, server) = duplex(64);
        client.write_all(PREFACE).await.unwrap();
        let mut server = prompt(server);
        let mut received = [0; PREFACE.len()];
        server.read_exact(&mut received).await.unwrap();
        let next = tokio::time::timeout(PATIENCE * 10, server.read_u8()).await;
        assert!(next.is_err(), "it still waits");
    }
}
