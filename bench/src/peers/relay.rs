//! Stands between an offerer and an answerer: offers and answers pass through, and so do all datagrams, by links of its own.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post,
};
use hola_webrtc_offerer::{Trust, http::Http};
use hola_webrtc_protocol::{SessionDescription, sdp, signal};
use hyper::Request;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

use super::link::{Link, Weather};

/// A running relay. It ends when this is dropped, with all connections through it.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) url: String,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Way {
    answerer: String,
    weather: Weather,
    http: Http,
    links: Arc<Mutex<Vec<Link>>>,
}

impl Relay {
    /// A relay to the answerer at this URL.
    pub(crate) async fn to(answerer: &str, weather: Weather) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let way = Way {
            answerer: answerer.to_owned(),
            weather,
            http: Http::new(Trust::Anyone)?,
            links: Arc::default(),
        };
        let routes = Router::new()
            .route("/offer", post(pass).options(async || StatusCode::NO_CONTENT))
            .layer(middleware::from_fn(open))
            .with_state(way);
        let task = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { url, task })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
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

async fn pass(State(way): State<Way>, offer: Bytes) -> Response {
    match way.pass(&offer).await {
        Ok(answer) => (StatusCode::CREATED, [(header::CONTENT_TYPE, signal::JSON)], answer).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response(),
    }
}

impl Way {
    async fn pass(&self, offer: &[u8]) -> Result<Vec<u8>> {
        sleep(self.weather.delay).await;
        let offer: SessionDescription = serde_json::from_slice(offer)?;
        // Who knows no candidate of the client contacts it by no other way.
        let offer = SessionDescription::offer(sdp::without_candidates(&offer.sdp));
        let request = Request::post(format!("{}{}", self.answerer, signal::OFFER_PATH))
            .header(header::CONTENT_TYPE, signal::JSON)
            .body(serde_json::to_vec(&offer)?.into())?;
        let reply = self.http.send(request).await?;
        let mut answer: SessionDescription = serde_json::from_slice(reply.body())
            .with_context(|| format!("the offer draws {}", reply.status()))?;
        let link = Link::to(reachable(&answer.sdp).context("the answer has no candidate")?, self.weather)?;
        answer.sdp = with_candidate(&answer.sdp, link.address);
        self.links.lock().unwrap_or_else(PoisonError::into_inner).push(link);
        sleep(self.weather.delay).await;
        Ok(serde_json::to_vec(&answer)?)
    }
}

/// The address in the answer that all offerers reach: Firefox takes no loopback.
fn reachable(answer: &str) -> Option<SocketAddr> {
    let addresses = sdp::candidates(answer).filter_map(|candidate| {
        let ip: IpAddr = candidate.address.parse().ok()?;
        let is_udp = candidate.transport.eq_ignore_ascii_case("udp");
        (is_udp && ip.is_ipv4()).then(|| SocketAddr::new(ip, candidate.port))
    });
    addresses.min_by_key(|address| address.ip().is_loopback())
}

/// The same with this candidate alone, at the end of its only media section.
fn with_candidate(text: &str, address: SocketAddr) -> String {
    let (ip, port) = (address.ip(), address.port());
    format!("{}a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\n", sdp::without_candidates(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
        a=candidate:1 1 udp 5 127.0.0.1 4000 typ host\r\n\
        a=candidate:2 1 tcp 5 10.0.0.1 9 typ host tcptype active\r\n\
        a=candidate:3 1 UDP 5 10.0.0.1 5000 typ host\r\na=end-of-candidates\r\na=mid:0\r\n";

    #[test]
    fn of_the_answers_addresses_one_is_taken_that_browsers_reach() {
        assert_eq!(reachable(ANSWER), Some("10.0.0.1:5000".parse().unwrap()));
        assert_eq!(reachable("v=0\r\n"), None);
    }

    #[test]
    fn the_relays_candidate_takes_the_place_of_all() {
        assert_eq!(
            with_candidate(ANSWER, "10.0.0.1:7".parse().unwrap()),
            "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n\
             a=candidate:1 1 udp 2130706431 10.0.0.1 7 typ host\r\n"
        );
    }
}
