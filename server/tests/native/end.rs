//! How sessions end, and how soon.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::sleep,
};

use crate::{
    offerer::Offerer,
    stand::{LOCALHOST, SLACK, Stand, connect},
};

/// How soon a session whose client is gone is gone as well.
const PROMISE: Duration = Duration::from_secs(2);

/// Tells the child process where the server is.
const SERVER: &str = "NATIVE_TEST_SERVER";

#[tokio::test]
async fn a_closed_connection_is_gone_at_once() {
    let stand = Stand::start().await;
    let (offerer, _line, _) = stand.connect("any").await;
    assert_eq!(stand.server.session_count(), 1);
    offerer.close().await;
    stand.emptied_within(SLACK).await;
}

#[tokio::test]
async fn a_killed_client_is_gone_within_two_seconds() {
    let stand = Stand::start().await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["end::a_client_of_its_own", "--exact", "--ignored", "--nocapture"])
        .env(SERVER, stand.http.to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while lines.next_line().await.unwrap().expect("it connects") != "open" {}
    assert_eq!(stand.server.session_count(), 1);
    child.kill().await.unwrap();
    stand.emptied_within(PROMISE + SLACK).await;
}

/// What the test above runs in a process that it can kill.
#[tokio::test]
#[ignore = "the process that another test kills"]
async fn a_client_of_its_own() {
    let http = std::env::var(SERVER).expect("started by the test that kills it").parse().unwrap();
    let (_offerer, _line, _) = connect(http, "any", &[]).await;
    println!("\nopen");
    sleep(Duration::from_mins(1)).await;
}

#[tokio::test]
async fn an_offer_that_never_connects_is_gone_within_two_seconds() {
    let stand = Stand::start().await;
    let mut offerer = Offerer::new(LOCALHOST).await;
    let _line = offerer.channel("any").await;
    let offer = offerer.offer().await;
    stand.post(&offer).await;
    stand.post(&offer).await;
    assert_eq!(stand.server.session_count(), 2);
    stand.emptied_within(PROMISE + SLACK).await;
    offerer.close().await;
}

#[tokio::test]
async fn a_deleted_session_closes_the_clients_channel_at_once() {
    let stand = Stand::start().await;
    let (offerer, line, answer) = stand.connect("any").await;
    let (other, other_line, _) = stand.connect("any").await;
    let begun = Instant::now();
    assert_eq!(stand.delete(answer.session).await, 204);
    assert_eq!(line.next().await, None);
    assert!(begun.elapsed() < SLACK, "{:?}", begun.elapsed());
    assert_eq!(stand.delete(answer.session).await, 404);
    assert_eq!(stand.server.session_count(), 1);
    other_line.assert_echoes(&crate::echo::messages()).await;
    offerer.close().await;
    other.close().await;
}

#[tokio::test]
async fn a_server_that_stops_closes_every_clients_channel_at_once() {
    let stand = Stand::start().await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(stand.connect("any").await);
    }
    let begun = Instant::now();
    stand.server.shutdown().await;
    assert_eq!(stand.server.session_count(), 0);
    for (offerer, line, _) in &clients {
        assert_eq!(line.next().await, None);
        offerer.close().await;
    }
    assert!(begun.elapsed() < 2 * SLACK, "{:?}", begun.elapsed());
}
