//! Offers whose senders never connect.

use hyper::StatusCode;
use tokio::task::JoinSet;

use crate::{
    common::{self, SOON},
    site::{Site, resident_mb, soon, within},
};

const OFFERS: usize = 10_000;
const SENDERS: usize = 8;
const PLACES: usize = 1000;
/// What a place takes while its session waits for its peer, with what the allocator keeps of it, in KB.
const PLACE_KB: usize = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_offers_that_never_connect_stay_within_the_limits_and_fade() {
    let site = Site::start(|limits| limits.max_sessions = PLACES).await;
    let mut talk = site.connect("echo").await;
    talk.go_on(20).await;
    let memory = resident_mb();

    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (server, http) = (site.server.clone(), site.offerer.http().clone());
        let url = format!("http://{}/offer", site.http);
        senders.spawn(async move {
            let (mut answered, mut refused, mut most) = (0, 0, 0);
            for _ in 0..OFFERS / SENDERS {
                let request = hyper::Request::post(&url).header("content-type", "application/sdp");
                let reply = soon(http.send(request.body(common::OFFER.into()).unwrap())).await.unwrap();
                most = most.max(server.session_count());
                match reply.status() {
                    StatusCode::CREATED => answered += 1,
                    StatusCode::SERVICE_UNAVAILABLE => {
                        let seconds: u32 = reply.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                        assert!((1..=60).contains(&seconds), "{seconds}");
                        refused += 1;
                    }
                    other => panic!("{other}"),
                }
            }
            (answered, refused, most)
        });
    }
    let senders = tokio::spawn(senders.join_all());
    while !senders.is_finished() {
        talk.go_on(10).await;
    }
    let (mut answered, mut refused, mut most) = (0, 0, 0);
    for (of_answered, of_refused, seen) in senders.await.unwrap() {
        (answered, refused, most) = (answered + of_answered, refused + of_refused, most.max(seen));
    }
    let grown = resident_mb().saturating_sub(memory);
    assert_eq!(answered + refused, OFFERS);
    assert!(refused > 0 && most <= PLACES, "{refused} refused, {most} at once");
    assert!(within(SOON, || site.server.session_count() == 1).await, "only the one that talks is left");
    talk.go_on(20).await;
    assert!(grown < PLACES * PLACE_KB / 1024, "{grown} MB more");
    eprintln!("{answered} answered, {refused} refused, {most} at once, {grown} MB more");
    site.server.shutdown().await;
}
