//! A server of the tests' own, made with the library: it does what the echo does not.

use std::net::SocketAddr;

use anyhow::Result;
use axum::serve;
use futures_util::SinkExt;
use hola_webrtc_server::{Channel, ChannelOptions, Message, RtcServer, Session, echo::echo};
use tokio::{net::TcpListener, task::JoinHandle};

/// How many messages come on a channel that asks for a hundred.
const HUNDRED: u32 = 100;

/// The server, as long as this lives.
pub(crate) struct Teller {
    tasks: [JoinHandle<()>; 2],
}

impl Teller {
    /// Listens there, for pages of this origin.
    pub(crate) async fn start(address: SocketAddr, origin: &str) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let server = RtcServer::builder().listen(address).start()?;
        let routes = server.signalling().allow_origins([origin.parse()?]).router();
        let answering = async move {
            if let Err(error) = serve(listener, routes.into_make_service()).await {
                eprintln!("the server ended: {error}");
            }
        };
        Ok(Self { tasks: [tokio::spawn(answering), tokio::spawn(talk(server))] })
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn talk(server: RtcServer) {
    while let Some(session) = server.accept().await {
        session.spawner().spawn(talk_with(session));
    }
}

async fn talk_with(session: Session) {
    while let Some(channel) = session.accept_channel().await {
        let told = match channel.label() {
            "hundred" => tell(channel).await,
            _ => call(&session).await,
        };
        if let Err(error) = told {
            eprintln!("a channel ended: {error}");
        }
    }
}

/// Sends a hundred messages, and ends the channel.
async fn tell(mut channel: Channel) -> Result<()> {
    for number in 0..HUNDRED {
        channel.feed(Message::Text(number.to_string())).await?;
    }
    Ok(channel.close().await?)
}

/// Opens a channel that speaks the framing, speaks first on it, and echoes.
async fn call(session: &Session) -> Result<()> {
    let options = ChannelOptions { protocol: "chess".to_owned(), ..ChannelOptions::default() }.for_large();
    let mut channel = session.open_channel("the server's", options).await?;
    channel.send(Message::Text("it is me".to_owned())).await?;
    Ok(echo(channel).await?)
}
