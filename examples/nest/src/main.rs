//! Another axum program: its own page at `/`, WebRTC beneath `/rtc`. Whoever sends an offer gives a name in the header
//! `x-name`; whatever they then say on a channel comes back with that name.

use std::{env, error::Error, net::SocketAddr};

use axum::{Router, http::Extensions, routing::get};
use futures_util::{SinkExt, StreamExt};
use hola_webrtc_server::{Channel, Message, OfferRequest, ProblemCode, Refusal, RtcServer, Session};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Name(String);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    let server = RtcServer::builder().listen(listener.local_addr()?).start()?;
    let signalling = server.signalling().on_offer(name_of).router();
    let app = Router::new().route("/", get(async || "Offers go to /rtc/offer")).nest("/rtc", signalling);

    println!("http://{}", listener.local_addr()?);
    tokio::spawn(serve(server));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

/// Decides over each offer, before its body is read.
async fn name_of(request: OfferRequest) -> Result<Extensions, Refusal> {
    let name = request.head.headers.get("x-name").and_then(|name| name.to_str().ok());
    let name = name.ok_or_else(|| Refusal::new(ProblemCode::Forbidden, "the header x-name is missing"))?;
    let mut of_session = Extensions::new();
    of_session.insert(Name(name.to_owned()));
    Ok(of_session)
}

async fn serve(server: RtcServer) {
    while let Some(session) = server.accept().await {
        session.spawner().spawn(talk(session));
    }
}

async fn talk(session: Session) {
    let Some(Name(name)) = session.context().extensions.get().cloned() else { return };
    while let Some(channel) = session.accept_channel().await {
        session.spawner().spawn(repeat(channel, name.clone()));
    }
}

async fn repeat(mut channel: Channel, name: String) {
    while let Some(Message::Text(text)) = channel.next().await {
        if channel.send(Message::Text(format!("{name}: {text}"))).await.is_err() {
            break;
        }
    }
}
