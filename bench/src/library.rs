//! The library behind `POST /offer`, with the work that the peers of `bench/peers` do: where the program only echoes, this one
//! also takes in, sends out, and sends back a stream of bytes.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
};
use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_server::{Channel, Limits, Message, RtcServer, SendError};
use tokio::{io::BufReader, net::TcpListener};

/// As much as goes into one message of a stream.
const PIECE: usize = 16 * 1024;

/// An answerer for `cargo xtask bench peers`.
#[derive(Debug, Parser)]
struct Cli {
    /// The port of HTTP, or 0 for any
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Serves until it is ended.
#[tokio::main]
pub(crate) async fn main() -> io::Result<()> {
    let cli = Cli::parse();
    let mut limits = Limits::default();
    limits.max_sessions = 100_000;
    limits.max_sessions_per_address = 100_000;
    limits.offers_per_second = 0;
    let server = RtcServer::builder().listen((Ipv4Addr::UNSPECIFIED, 0).into()).limits(limits).start()?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, cli.port)).await?;
    println!("{}", listener.local_addr()?.port());
    let routes: Router = server.router().layer(middleware::from_fn(open));
    let routes = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    while let Some(session) = server.accept().await {
        let spawner = session.spawner();
        spawner.clone().spawn(async move {
            while let Some(channel) = session.accept_channel().await {
                spawner.spawn(async move {
                    if channel.label() == "stream" {
                        drop(stream(channel).await);
                    } else {
                        drop(attend(channel).await);
                    }
                });
            }
        });
    }
    Ok(())
}

/// Pages of any origin may ask.
async fn open(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fields: [(HeaderName, &str); 3] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    response.headers_mut().extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// Sends back bytes, whatever the messages are in which they come.
async fn stream(channel: Channel) -> io::Result<u64> {
    let (read, mut write) = tokio::io::split(channel.into_io());
    tokio::io::copy_buf(&mut BufReader::with_capacity(PIECE, read), &mut write).await
}

/// A channel's work, by its label (`bench/peers/README.md`).
async fn attend(mut channel: Channel) -> Result<(), SendError> {
    let label = channel.label().to_owned();
    let mut received = 0;
    while let Some(message) = channel.next().await {
        match (&*label, message) {
            ("sink", Message::Binary(bytes)) => received += bytes.len(),
            ("sink", Message::Text(_)) => channel.feed(Message::Text(received.to_string())).await?,
            ("source", Message::Text(text)) => {
                let mut numbers = text.split(' ').filter_map(|number| number.parse().ok());
                let (size, count) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
                let message = Message::Binary(vec![1; size].into());
                for _ in 0..count {
                    channel.feed(message.clone()).await?;
                }
            }
            (_, message) => channel.feed(message).await?,
        }
    }
    Ok(())
}
