//! Many connections at once.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use hola_webrtc_offerer::{Channel, ConnectOptions, Connection, Offerer, Settings, Sockets, Trust};

/// How many connections come up at the same time.
const AT_ONCE: usize = 32;

/// One connection with its channel.
#[derive(Debug)]
pub(crate) struct Ship {
    /// Ends with the ship.
    _connection: Connection,
    pub(crate) channel: Channel,
}

/// An offerer for servers on this machine, with one socket for all its connections.
pub(crate) fn offerer() -> Result<Arc<Offerer>> {
    let settings = Settings { trust: Trust::Anyone, sockets: Sockets::Shared };
    Ok(Arc::new(Offerer::new(settings)?))
}

/// Connects so many to the server.
pub(crate) async fn launch(offerer: &Offerer, url: &str, number: usize) -> Result<Vec<Ship>> {
    let options = ConnectOptions::default();
    let connect = |_| async {
        let (connection, channel) = offerer.connect(url, &options).await?;
        anyhow::Ok(Ship { _connection: connection, channel })
    };
    let fleet = stream::iter(0..number).map(connect).buffer_unordered(AT_ONCE).try_collect();
    fleet.await.context("a connection does not come up")
}
