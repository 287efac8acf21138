//! Candidates that aim the server at somebody, in offers and later.

use tokio::net::UdpSocket;

use crate::{
    common::{self, SOON, exchange, request},
    site::{Site, within},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_candidates_draw_not_one_datagram() {
    let site = Site::start(|_| {}).await;
    let mut other = site.connect("echo").await;
    other.go_on(10).await;
    drop(other);
    assert!(within(SOON, || site.server.session_count() == 0).await);
    let before = site.datagrams_out();

    let victim = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = victim.local_addr().unwrap();
    let (ip, port) = (at.ip(), at.port());
    let candidate =
        |kind: &str| format!("candidate:7 1 udp 2130706431 {ip} {port} typ {kind} raddr {ip} rport {port}");
    let mut sessions = Vec::new();
    for prefix in ["a=", "\ra=", "a= ", "a=\t", "a=mid:0\ra="] {
        for kind in ["host", "srflx", "prflx", "relay"] {
            let offer = format!("{}{prefix}{}\r\n", common::OFFER, candidate(kind));
            // With the address where the media would go, as before there was ICE.
            let offer = offer.replace("c=IN IP4 0.0.0.0", &format!("c=IN IP4 {ip}"));
            let offer = offer.replace("m=application 9 ", &format!("m=application {port} "));
            let reply = site.post(&offer).await;
            if reply.status() == 201 {
                let header = |name| reply.headers()[name].to_str().unwrap().to_owned();
                sessions.push((header("location"), header("etag")));
            }
        }
    }
    assert!(sessions.len() >= 4, "{}", sessions.len());
    for (location, etag) in &sessions {
        let fragment = format!("m=application {port} x y\r\na=mid:0\r\na={}\r\n", candidate("host"));
        let headers = [("content-type", "application/trickle-ice-sdpfrag"), ("if-match", etag)];
        let patch = request(&format!("PATCH {location}"), &headers, &fragment);
        assert_eq!(exchange(site.http, &patch).await.status, 204);
        // With new credentials, too.
        let headers = [("content-type", "application/trickle-ice-sdpfrag"), ("if-match", "*")];
        let restart = format!("a=ice-ufrag:Nw9Z\r\na=ice-pwd:3b1yQW2bT1S8e8vYkQf0aZ\r\n{fragment}");
        let patch = request(&format!("PATCH {location}"), &headers, &restart);
        assert_eq!(exchange(site.http, &patch).await.status, 200);
    }
    // All their lives long.
    assert!(within(SOON, || site.server.session_count() == 0).await);
    assert_eq!(victim.try_recv(&mut [0; 2048]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(site.datagrams_out(), before);
    site.server.shutdown().await;
}
