//! The server as a library: what a program does with sessions and channels, over real sockets.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod channels;
mod drain;
mod large;
mod limits;
mod resume;
mod sessions;
mod talker;
mod workers;

use std::time::Duration;

use hola_webrtc_offerer::{Connection, connect};
use hola_webrtc_server::{RtcServer, Session};
use tokio::time::{sleep, timeout};

use crate::common::{SOON, serve};

/// A server without a handler, and the URL of its signalling.
struct Stand {
    server: RtcServer,
    url: String,
}

impl Stand {
    async fn of(server: RtcServer) -> Self {
        let url = format!("http://{}", serve(server.router()).await);
        Self { server, url }
    }

    async fn start() -> Self {
        Self::of(common::engine()).await
    }

    /// Both ends of a connection, and of its first channel.
    async fn connect(
        &self,
    ) -> (Connection, hola_webrtc_offerer::Channel, Session, hola_webrtc_server::Channel) {
        let (client, accepted) = tokio::join!(connect(&self.url), async {
            let session = self.server.accept().await.unwrap();
            let channel = session.accept_channel().await.unwrap();
            (session, channel)
        });
        let ((connection, line), (session, channel)) = (client.unwrap(), accepted);
        (connection, line, session, channel)
    }
}

/// What the future yields, if it does within a long time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(SOON, future).await.expect("it happens")
}

/// Waits until the condition holds.
async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
