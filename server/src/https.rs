//! HTTPS: TLS, HTTP/2 and HTTP/1.1 on one TCP port, with a time limit on the handshake, the first bytes, and the
//! head of each request.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    accept::Accept,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How long a client may take for the TLS handshake, then for its first bytes, and for the head of each request. A
/// kept-alive connection of HTTP/1.1 is closed when it stays idle for as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a connection of HTTP/2 is asked whether it still lives.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// How many requests one connection of HTTP/2 may have open.
const MAX_STREAMS: u32 = 64;

/// Serves until the handle says to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: ServerConfig,
    app: Router,
    handle: Handle<SocketAddr>,
) -> io::Result<()> {
    let tls = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(tls))).handshake_timeout(PATIENCE);
    let mut server = axum_server::from_tcp(listener)?.acceptor(PromptAcceptor(tls)).handle(handle);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PATIENCE)
        .max_concurrent_streams(MAX_STREAMS);
    server.serve(app.into_make_service_with_connect_info::<SocketAddr>()).await
}

/// Wraps what TLS accepted into [`PromptStream`]s.
#[derive(Clone)]
struct PromptAcceptor(RustlsAcceptor);

impl<I, S> Accept<I, S> for PromptAcceptor
where
    RustlsAcceptor: Accept<I, S, Future: Send + 'static>,
{
    type Stream = PromptStream<<RustlsAcceptor as Accept<I, S>>::Stream>;
    type Service = <RustlsAcceptor as Accept<I, S>>::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            let deadline = Some(Box::pin(sleep(PATIENCE)));
            Ok((PromptStream { stream, received: 0, deadline }, service))
        })
    }
}

/// A stream whose client has to begin in time.
///
/// To tell HTTP/2 from HTTP/1.1, hyper-util waits without a limit for as many bytes as the preface of HTTP/2 has; its
/// own limits count only from then on.
struct PromptStream<S> {
    stream: S,
    received: usize,
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The preface of HTTP/2 (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl<S: AsyncRead + Unpin> AsyncRead for PromptStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            self.received = self.received.saturating_add(buffer.filled().len() - filled);
            if self.received >= PREFACE.len() {
                self.deadline = None;
            }
            return Poll::Ready(read);
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PromptStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
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

    fn prompt<S>(stream: S) -> PromptStream<S> {
        PromptStream { stream, received: 0, deadline: Some(Box::pin(sleep(PATIENCE))) }
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
