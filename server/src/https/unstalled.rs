//! A client that does not read what is there for it is let go.

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

/// A stream that fails when it takes not one byte for too long. A stream that has nothing to send may be quiet for ever.
pub(super) struct Unstalled<S, H> {
    stream: S,
    /// What is held as long as the connection lives.
    _held: H,
    patience: Duration,
    metrics: Arc<Metrics>,
    /// Set while bytes wait.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S, H> Unstalled<S, H> {
    pub(super) fn new(stream: S, patience: Duration, metrics: Arc<Metrics>, held: H) -> Self {
        Self { stream, _held: held, patience, metrics, deadline: None }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        ready!(deadline.as_mut().poll(cx));
        self.deadline = None;
        self.metrics.limit_reached(Limit::WriteTimeout);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin, H: Unpin> AsyncRead for Unstalled<S, H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin, H: Unpin> AsyncWrite for Unstalled<S, H> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_let_go_and_counted() {
        let (_client, server) = duplex(64);
        let metrics = Arc::<Metrics>::default();
        let mut server = Unstalled::new(server, PATIENCE, metrics.clone(), ());
        let error = server.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(metrics.encode().contains("{limit=\"write-timeout\"} 1\n"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_slowly_is_served() {
        let (mut client, server) = duplex(64);
        let mut server = Unstalled::new(server, PATIENCE, Arc::default(), ());
        let reading = tokio::spawn(async move {
            for _ in 0..1000 {
                tokio::time::sleep(PATIENCE / 2).await;
                client.read_u8().await.unwrap();
            }
            client
        });
        server.write_all(&[0; 1064]).await.unwrap();
        drop(reading.await.unwrap());
    }
}
