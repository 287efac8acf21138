//! A native WebRTC client for tests, for load, and for looking at servers. It makes the offer, posts it as a
//! browser's page would, and talks over data channels; thousands of connections fit into one process.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let (connection, channel) = hola_webrtc_offerer::connect("http://127.0.0.1:8080").await?;
//! channel.send("hello").await?;
//! assert_eq!(channel.receive().await, Some("hello".into()));
//! connection.close();
//! # Ok(())
//! # }
//! ```
//!
//! An [`Offerer`] holds what many connections have in common, and takes options. [`Offerer::offer`] is for those who
//! post the offer themselves.

mod address;
mod channel;
mod connection;
mod core;
mod error;
pub mod http;
mod leaving;
mod line;
mod link;
mod message;
mod offerer;
mod options;
mod port;

pub use address::{better_of, offer_url, servers_of};
pub use channel::Channel;
pub use connection::{Connection, Reply, Stats};
pub use error::{Closed, ConnectError, SendError};
pub use message::Message;
pub use offerer::{Offerer, Pending, read_reply};
pub use options::{ChannelOptions, ConnectOptions, Settings, Sockets, Trust};

/// Connects to the server with this base URL, with one channel labelled `echo`. Any certificate will do.
///
/// It is one connection's cost dearer than [`Offerer::connect`], which reuses a certificate and HTTP connections.
pub async fn connect(url: &str) -> Result<(Connection, Channel), ConnectError> {
    let offerer = Offerer::new(Settings { trust: Trust::Anyone, ..Settings::default() })?;
    offerer.connect(url, &ConnectOptions::default()).await
}
