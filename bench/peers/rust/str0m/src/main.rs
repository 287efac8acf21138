//! An echo by str0m: one synchronous loop for all peers, as in its example `chat`. Unlike there a datagram is given to its
//! peer by its source, and only peers that are due are looked at, so that a thousand peers cost what a thousand peers have
//! to; and HTTP is axum's, as for the other answerers in Rust.

mod peer;
mod run;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread,
    time::Instant,
};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use clap::Parser;
use str0m::{
    Candidate, Rtc,
    change::{SdpAnswer, SdpOffer},
    crypto::from_feature_flags,
};
use tokio::net::TcpListener;

/// How many bytes a peer may have sent without their being acknowledged. By default it is half of that, two messages of 64 KiB;
/// its documentation advises against more than the path holds, and more did no better.
const HIGH: usize = 256 * 1024;

#[derive(Parser)]
struct Cli {
    /// The port of HTTP, or 0 for any
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[derive(Clone)]
struct Reception {
    address: SocketAddr,
    arrivals: Sender<Rtc>,
    /// The loop's own socket.
    socket: Arc<UdpSocket>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    from_feature_flags().install_process_default();
    let socket = Arc::new(UdpSocket::bind((host_address()?, 0))?);
    let address = socket.local_addr()?;
    let (arrivals, arriving) = mpsc::channel();
    thread::spawn({
        let socket = socket.clone();
        move || run::run(&socket, address, &arriving)
    });

    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, cli.port)).await?;
    println!("{}", listener.local_addr()?.port());
    let offers = Router::new()
        .route("/offer", post(offer).options(nothing))
        .fallback(nothing)
        .layer(middleware::from_fn(open))
        .with_state(Reception { address, arrivals, socket });
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

async fn offer(State(reception): State<Reception>, Json(offer): Json<SdpOffer>) -> Response {
    match accept(&reception, offer) {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

fn accept(reception: &Reception, offer: SdpOffer) -> Result<SdpAnswer> {
    let mut rtc = Rtc::builder().set_sctp_max_buffered_amount(HIGH).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(reception.address, "udp")?);
    let answer = rtc.sdp_api().accept_offer(offer)?;
    reception.arrivals.send(rtc)?;
    // Wakes the loop.
    reception.socket.send_to(&[], reception.address)?;
    Ok(answer)
}

/// The host's address: Firefox takes no other host's loopback. Nothing is sent to find it.
fn host_address() -> Result<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    Ok(match socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)) {
        Ok(()) => socket.local_addr()?.ip(),
        Err(_) => Ipv4Addr::LOCALHOST.into(),
    })
}
