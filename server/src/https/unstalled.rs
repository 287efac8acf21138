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
    has_failed: bool,
}

impl<S, H> Unstalled<S, H> {
    pub(super) fn new(stream: S, patience: Duration, metrics: Arc<Metrics>, held: H) -> Self {
        Self { stream, _held: held, patience, metrics, deadline: None, has_failed: false }
    }

    fn watch<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Ok(_)) => self.deadline = None,
            Poll::Ready(Err(ref error)) => self.note(error),
            // Not even a goodbye is waited for.
            Poll::Pending if self.has_failed => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => {
                let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.patience)));
                ready!(deadline.as_mut().poll(cx));
                let error = io::ErrorKind::TimedOut.into();
                self.note(&error);
                return Poll::Ready(Err(error));
            }
        }
        written
    }

    /// Counts the end for want of reading, once; the kernel may have noticed it first.
    fn note(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::TimedOut && !self.has_failed {
            self.has_failed = true;
            self.metrics.limit_reached(Limit::WriteTimeout);
        }
    }
}

impl<S: AsyncRead + Unpin, H: Unpin> AsyncRead for Unstalled<S, H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Err(error)) = &read {
            self.note(error);
        }
        read
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
        server.shutdown().await.unwrap();
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
