//! A client that does not begin to speak is let go, as is one of HTTP/2 that takes nothing of a reply, or asks for nothing; and
//! one is counted that was let go because it did not finish.

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
    time::{Instant, Sleep, sleep},
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
    http2: Option<Http2>,
}

/// What a client of HTTP/2 has asked for and has to take, and when to look whether it does.
struct Http2 {
    progress: Progress,
    stalled: Look,
    quiet: Look,
}

struct Look {
    patience: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Look {
    fn new(patience: Duration) -> Self {
        Self { patience, timer: Box::pin(sleep(patience)) }
    }

    /// Ready once there is no next look.
    fn poll(&mut self, cx: &mut Context<'_>, next: impl Fn(Duration) -> Option<Instant>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            match next(self.patience) {
                Some(next) => self.timer.as_mut().reset(next),
                None => return Poll::Ready(()),
            }
        }
    }
}

impl<S> Prompt<S> {
    pub(super) fn new(stream: S, is_http2: bool, patience: Duration, metrics: Arc<Metrics>) -> Self {
        let heads = (!is_http2).then(|| Heads::new(patience));
        let deadline = Some(Box::pin(sleep(patience)));
        Self { stream, metrics, received: 0, deadline, heads, http2: None }
    }

    /// Lets the client go if it asks for nothing for so long, or takes nothing of a reply.
    pub(super) fn expect(&mut self, progress: Progress, asks: Duration, takes: Duration) {
        self.http2 = Some(Http2 { progress, stalled: Look::new(takes), quiet: Look::new(asks) });
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
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let filled = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            let came = &buffer.filled()[filled..];
            this.received = this.received.saturating_add(came.len());
            if let Some(heads) = &mut this.heads {
                heads.received(came);
            }
            if this.received >= PREFACE.len() {
                this.deadline = None;
            }
            return Poll::Ready(read);
        }
        if let Some(deadline) = &mut this.deadline {
            ready!(deadline.as_mut().poll(cx));
            (this.deadline, this.heads) = (None, None);
            this.metrics.limit_reached(Limit::HeaderTimeout);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let Some(Http2 { progress, stalled, quiet }) = &mut this.http2 else { return Poll::Pending };
        if stalled.poll(cx, |patience| progress.next_look(patience)).is_ready() {
            this.http2 = None;
            this.metrics.limit_reached(Limit::WriteTimeout);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let requests = &progress.requests;
        ready!(quiet.poll(cx, |patience| requests.next_look(patience)));
        // To be kept for a while after a reply, and no longer, is what all clients are used to.
        if !requests.have_come() {
            this.metrics.limit_reached(Limit::HeaderTimeout);
        }
        this.http2 = None;
        // As if the client had closed: with nothing under way, that is no fault, and hyper closes as well.
        Poll::Ready(Ok(()))
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
