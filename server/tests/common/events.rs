//! The stream of a session's events, off the wire.

use std::net::SocketAddr;

use hola_webrtc_protocol::signal::TimedEvent;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{SOON, request};

/// A stream of events, read as a browser does.
pub(crate) struct EventSource<S = TcpStream> {
    stream: S,
    pub(crate) text: String,
}

impl EventSource {
    pub(crate) async fn open(address: SocketAddr, location: &str, headers: &[(&str, &str)]) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap(), location, headers).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> EventSource<S> {
    /// Over a connection that is there already.
    pub(crate) async fn over(mut stream: S, location: &str, headers: &[(&str, &str)]) -> Self {
        let request = request(&format!("GET {location}/events"), headers, "");
        stream.write_all(&request).await.unwrap();
        let mut source = Self { stream, text: String::new() };
        source.read_until(|text| text.contains("\r\n\r\n")).await;
        source
    }

    pub(crate) async fn read_until(&mut self, condition: impl Fn(&str) -> bool) {
        while !condition(&self.text) {
            assert!(self.read().await > 0, "it ended: {}", self.text);
        }
    }

    pub(crate) async fn read_to_end(&mut self) {
        while self.read().await > 0 {}
    }

    async fn read(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let count = timeout(SOON, self.stream.read(&mut bytes)).await.expect("more comes").unwrap();
        self.text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        count
    }

    /// The whole events so far, each with its id.
    pub(crate) fn events(&self) -> Vec<(u64, TimedEvent)> {
        // Where chunks begin stands on lines of its own.
        let mut id = None;
        let mut events = Vec::new();
        for line in self.text.lines() {
            if let Some(number) = line.strip_prefix("id:") {
                id = Some(number.trim().parse().unwrap());
            } else if let Some(data) = line.strip_prefix("data:") {
                events.push((id.unwrap(), serde_json::from_str(data).unwrap()));
            }
        }
        events
    }
}
