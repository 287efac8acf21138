//! An echo by the crate `webrtc`, set up as in its README. Back-pressure by `with_data_channel_send_buffer_limit`, with which
//! `send` waits.

mod work;

use std::{
    net::Ipv4Addr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use clap::Parser;
use tokio::{net::TcpListener, sync::Notify};
use webrtc::{
    data_channel::DataChannel,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceGatheringState, RTCPeerConnectionState, RTCSessionDescription, SettingEngineBuilder,
    },
};

/// How many bytes a channel may have sent without their being acknowledged.
const HIGH: usize = 1024 * 1024;

/// How often its ICE agent looks what there is to do; whatever comes in between waits for that. By default that is 200 ms, which
/// would be most of the time until the channel is open. Checks go on for as long as by default.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
const CHECKS: u16 = 70;

#[derive(Parser)]
struct Cli {
    /// The port of HTTP, or 0 for any
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, cli.port)).await?;
    println!("{}", listener.local_addr()?.port());
    let offers = Router::new()
        .route("/offer", post(offer).options(nothing))
        .fallback(nothing)
        .layer(middleware::from_fn(open));
    Ok(axum::serve(listener, offers).await?)
}

async fn nothing() -> StatusCode {
    StatusCode::NO_CONTENT
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

async fn offer(Json(offer): Json<RTCSessionDescription>) -> Response {
    match accept(offer).await {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

async fn accept(offer: RTCSessionDescription) -> Result<RTCSessionDescription> {
    let settings =
        SettingEngineBuilder::new().with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS)).build();
    let handler = Arc::new(Handler::default());
    let peer = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_setting_engine(settings)
        .with_handler(handler.clone())
        .with_udp_addrs(vec!["0.0.0.0:0"])
        .with_data_channel_send_buffer_limit(HIGH)
        .build()
        .await?;
    let peer: Arc<dyn PeerConnection> = Arc::new(peer);
    // The handler holds the peer until it has ended.
    let _ = handler.peer.set(peer.clone());
    peer.set_remote_description(offer).await?;
    let answer = peer.create_answer(None).await?;
    peer.set_local_description(answer).await?;
    handler.gathered.notified().await;
    peer.local_description().await.context("no answer")
}

#[derive(Default)]
struct Handler {
    gathered: Notify,
    peer: OnceLock<Arc<dyn PeerConnection>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Failed
            && let Some(peer) = self.peer.get().cloned()
        {
            tokio::spawn(async move { peer.close().await });
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        let peer = self.peer.get().cloned();
        tokio::spawn(async move {
            if let Err(error) = work::attend(&*channel).await {
                eprintln!("a channel ends: {error}");
            }
            if let Some(peer) = peer {
                let _ = peer.close().await;
            }
        });
    }
}
