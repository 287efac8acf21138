//! The URL of a session is all that it takes to end it, so nobody may guess one, or learn which there are.

use std::collections::HashSet;

use hola_webrtc_protocol::{SessionId, signal};

use crate::{
    common::{self, Reply, exchange, request},
    site::Site,
};

const BITS: usize = 128;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_ids_have_128_random_bits() {
    const SESSIONS: usize = 400;
    let site = Site::start(|_| {}).await;
    let mut ids = HashSet::new();
    let mut ones = [0; BITS];
    for _ in 0..SESSIONS {
        let reply = site.post(common::OFFER).await;
        let id = signal::session_of_location(reply.headers()["location"].to_str().unwrap()).unwrap();
        let bits = u128::from_str_radix(&id.to_string(), 16).unwrap();
        for (bit, ones) in ones.iter_mut().enumerate() {
            *ones += usize::from(bits >> bit & 1 == 1);
        }
        ids.insert(bits);
    }
    assert_eq!(ids.len(), SESSIONS);
    // Ten standard deviations around the half.
    assert!(ones.iter().all(|ones| (100..300).contains(ones)), "{ones:?}");
    // Neighbours have nothing in common but chance.
    let mut sorted: Vec<_> = ids.into_iter().collect();
    sorted.sort_unstable();
    assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] > 1 << 64));
    site.server.shutdown().await;
}

/// Everything but the time of day.
fn told(reply: &Reply) -> (String, Vec<u8>) {
    let lines = reply.head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    (lines.collect::<Vec<_>>().join("\r\n"), reply.body.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_no_session_gets_the_same_bytes() {
    let site = Site::start(|_| {}).await;
    let reply = site.post(common::OFFER).await;
    let alive = signal::session_of_location(reply.headers()["location"].to_str().unwrap()).unwrap();
    let reply = site.post(common::OFFER).await;
    let ended = signal::session_of_location(reply.headers()["location"].to_str().unwrap()).unwrap();
    assert!(site.server.close(ended).await);

    let near =
        SessionId::from_bytes((u128::from_str_radix(&alive.to_string(), 16).unwrap() ^ 1).to_be_bytes());
    let ids = [
        ended.to_string(),
        near.to_string(),
        "0".repeat(32),
        alive.to_string()[..31].to_owned(),
        format!("{alive}0"),
        alive.to_string().replace(|letter: char| letter.is_ascii_hexdigit(), "G"),
        "x".to_owned(),
        "%00".to_owned(),
        "..".to_owned(),
    ];
    let fragment = "m=application 9 x y\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n";
    let patch = [("content-type", "application/trickle-ice-sdpfrag"), ("if-match", "\"x\"")];
    for (method, suffix, headers, body) in
        [("DELETE", "", &[][..], ""), ("PATCH", "", &patch[..], fragment), ("GET", "/events", &[][..], "")]
    {
        let mut seen: Option<(String, Vec<u8>)> = None;
        for id in &ids {
            let line = format!("{method} {}/{id}{suffix}", signal::SESSIONS_PATH);
            let reply = exchange(site.http, &request(&line, headers, body)).await;
            assert_eq!(reply.status, 404, "{line}");
            let told = told(&reply);
            assert_eq!(*seen.get_or_insert_with(|| told.clone()), told, "{line}");
        }
    }
    assert_eq!(site.server.session_count(), 1);
    site.server.shutdown().await;
}
