//! Sessions that stay, against a running server, as in `server.rs`.

#![cfg(all(target_arch = "wasm32", feature = "server-tests"))]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use futures_util::{SinkExt, Stream, StreamExt};
use hola_webrtc_client::{
    Backoff, ChannelOptions, ChannelState, Closed, ConnectOptions, Connection, Ended, ErrorKind,
    FramedChannel, Message, Mode, SendError, Session, SessionChannel, SessionState, TraceData, TransferInfo,
};
use hola_webrtc_protocol::signal;
use support::{
    event,
    page::{ListenerCount, PeerConnections, Replaced},
    pause,
    server::SERVER,
    soon, within,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const LONG: Duration = Duration::from_secs(30);

fn backoff(attempts: Option<u32>) -> Backoff {
    Backoff { attempts, delay: 100, max_delay: 500 }
}

async fn session() -> Session {
    let options = ConnectOptions::default().label("echo").patience(Duration::from_millis(500));
    soon(Session::connect(SERVER, options, backoff(None))).await.unwrap()
}

/// Ends the session's connection on the server, as when that is started anew.
async fn ended_by_the_server(connection: &Connection) {
    let path = signal::session_path(connection.session_id().unwrap());
    let fetch = format!("fetch('{SERVER}{path}', {{ method: 'DELETE' }})");
    let promise: js_sys::Promise = js_sys::eval(&fetch).unwrap().unchecked_into();
    soon(JsFuture::from(promise)).await.unwrap();
}

async fn reaches(session: &Session, wanted: SessionState) {
    come(&mut session.states(), wanted).await;
}

/// Waits for this state, which does not pass unseen if the states are listened to beforehand.
async fn come(states: &mut (impl Stream<Item = SessionState> + Unpin), wanted: SessionState) {
    within(LONG, async { while states.next().await.expect("the session ended") != wanted {} }).await;
}

async fn echoes(channel: &mut SessionChannel, text: &str) {
    soon(channel.send(Message::from(text))).await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::from(text)));
}

async fn talks(channel: &mut FramedChannel, text: &str) {
    soon(channel.send(Message::from(text))).await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::from(text)));
}

#[wasm_bindgen_test]
async fn after_the_servers_end_the_same_handles_go_on_over_a_new_connection() {
    let session = session().await;
    let (mut first, mut more) =
        (session.channel(), session.open_channel("more", &ChannelOptions::default().unordered()));
    echoes(&mut first, "before").await;
    echoes(&mut more, "before").await;
    let (before, mut states) = (session.connection().unwrap(), session.states());
    ended_by_the_server(&before).await;
    come(&mut states, SessionState::Reconnecting).await;
    assert_eq!(first.state(), ChannelState::Connecting);
    reaches(&session, SessionState::Connected).await;
    assert_ne!(session.connection().unwrap().session_id(), before.session_id());
    echoes(&mut first, "after").await;
    echoes(&mut more, "after").await;
    let attempt = event(&session.trace(), |event| matches!(event.data, TraceData::Attempt { .. })).await;
    let TraceData::Attempt { number, wait } = attempt.data else { unreachable!() };
    assert!(number == 1 && (0.0..=100.0).contains(&wait), "{number}: {wait}");
    let events = session.trace().events();
    assert!(events.is_sorted_by_key(|event| event.at));
    let replies = events.iter().filter(|event| matches!(event.data, TraceData::Response { .. }));
    assert_eq!(replies.count(), 2);

    session.close();
    assert_eq!(soon(session.closed()).await, Closed::Local);
    assert_eq!(soon(first.next()).await, None);
    assert_eq!(soon(more.send(Message::from("late"))).await, Err(SendError::NotOpen));
    assert_eq!(session.states().collect::<Vec<_>>().await, [SessionState::Closed]);
}

#[wasm_bindgen_test]
async fn a_resumable_channel_delivers_each_message_once_and_in_order_though_its_session_is_killed() {
    let session = session().await;
    let options = ChannelOptions::default().protocol("chess");
    let mut channel = session.open_framed("talk", &options, Mode::Resumable).unwrap();
    talks(&mut channel, "before").await;
    for round in 0..3 {
        let texts: Vec<_> = (0..200).map(|number| format!("{round}: {number}")).collect();
        for (number, text) in texts.iter().enumerate() {
            within(LONG, channel.send(Message::from(&**text))).await.unwrap();
            if number == 100 {
                ended_by_the_server(&session.connection().unwrap()).await;
            }
        }
        for text in &texts {
            assert_eq!(within(LONG, channel.next()).await, Some(Message::from(&**text)));
        }
    }
    soon(channel.delivered()).await.unwrap();
    assert!(channel.take_undelivered().is_empty());
}

#[wasm_bindgen_test]
async fn one_that_is_not_resumable_reports_the_message_that_was_cut_off_and_sends_the_rest() {
    let session = session().await;
    let mut channel = session.open_framed("talk", &ChannelOptions::default(), Mode::Framed).unwrap();
    talks(&mut channel, "before").await;
    // As nobody reads the echo, the server stops to read, and sending stops midway. Each message is longer than a frame, and
    // begins with its number.
    let mut writer = channel.clone();
    let send_all = async move {
        for number in 0..64_u8 {
            writer.send(Message::from([vec![number], vec![0; 300_006]].concat())).await.unwrap();
        }
    };
    spawn_local(send_all);
    stalled(&channel).await;
    let mut states = session.states();
    ended_by_the_server(&session.connection().unwrap()).await;
    come(&mut states, SessionState::Reconnecting).await;
    come(&mut states, SessionState::Connected).await;
    soon(channel.ready()).await.unwrap();
    let undelivered = channel.take_undelivered();
    assert_eq!(undelivered.len(), 1);
    assert!(!undelivered[0].is_whole && undelivered[0].data.len() < 300_007);
    let mut came = Vec::new();
    while came.last() != Some(&63) {
        let Some(Message::Binary(message)) = within(LONG, channel.next()).await else { panic!("no message") };
        assert_eq!(message.len(), 300_007);
        came.push(message[0]);
    }
    // Once each, and of the new connection all.
    assert!(came.is_sorted_by(|before, after| before < after), "{came:?}");
    let new = came.windows(2).rposition(|pair| pair[1] - pair[0] > 1).map_or(0, |gap| gap + 1);
    assert!(came[new..].len() > 1 && came[new] > 0, "{came:?}");
    soon(channel.delivered()).await.unwrap();
    assert!(channel.take_undelivered().is_empty());
}

/// Waits until no more leaves the channel, though there is more.
async fn stalled(channel: &FramedChannel) {
    let mut same = (0, 0);
    within(LONG, async {
        while same.1 < 20 {
            pause(20).await;
            let waiting = channel.buffered_amount();
            same = if waiting > 0 && waiting == same.0 { (waiting, same.1 + 1) } else { (waiting, 0) };
        }
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_transfer_keeps_its_session_alive_and_a_wait_for_the_end_does_not() {
    let connected = session().await;
    let channel = connected.open_framed("talk", &ChannelOptions::default(), Mode::Resumable).unwrap();
    soon(channel.ready()).await.unwrap();
    let closed = connected.closed();
    let (ended, mut incoming) = (channel.closed(), channel.incoming_large());
    let mut sender = soon(channel.start_large(&TransferInfo::default())).await.unwrap();
    soon(sender.send(vec![1; 100])).await.unwrap();
    let mut echo = soon(incoming.next()).await.unwrap();
    drop((connected, channel));
    soon(sender.send(vec![2; 100])).await.unwrap();
    soon(SinkExt::close(&mut sender)).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = soon(echo.next()).await {
        bytes.extend(piece.unwrap());
    }
    assert_eq!(bytes, [vec![1; 100], vec![2; 100]].concat());

    drop((sender, echo));
    assert_eq!(soon(ended).await, Ended::Lost);
    assert!(soon(incoming.next()).await.is_none());
    assert_eq!(soon(closed).await, Closed::Local);
}

#[wasm_bindgen_test]
async fn a_server_that_asks_to_stay_away_is_left_alone_as_long_as_it_says() {
    let session = session().await;
    let problem =
        "{\"type\":\"about:blank\",\"code\":\"unavailable\",\"status\":503,\"title\":\"t\",\"detail\":\"d\"}";
    let fetch = Replaced::fetch(&format!(
        "if (request.method !== 'POST') return browserFetch(request, init);
         return Promise.resolve(new Response('{problem}', {{
             status: 503, headers: {{ 'Content-Type': 'application/problem+json', 'Retry-After': '2' }} }}))"
    ));
    ended_by_the_server(&session.connection().unwrap()).await;
    let second =
        event(&session.trace(), |event| matches!(event.data, TraceData::Attempt { number: 2, .. })).await;
    drop(fetch);
    let TraceData::Attempt { wait, .. } = second.data else { unreachable!() };
    assert!((2000.0..=2200.0).contains(&wait), "{wait}");
    reaches(&session, SessionState::Connected).await;
    let events = session.trace().events();
    let refused = |data: &TraceData| matches!(data, TraceData::Response { status: 503, .. });
    let refused = events.iter().find(|event| refused(&event.data)).unwrap().at;
    let next = events.iter().find(|event| event.at > second.at && event.data == TraceData::Began).unwrap();
    assert!(next.at >= refused + 2000.0, "{} after {refused}", next.at);
    echoes(&mut session.channel(), "again").await;
}

#[wasm_bindgen_test]
async fn after_so_many_failures_it_gives_up_and_tells_the_last() {
    let options = ConnectOptions::default().label("echo");
    let session = soon(Session::connect(SERVER, options, backoff(Some(2)))).await.unwrap();
    let mut channel = session.channel();
    let fetch = Replaced::fetch(
        "if (request.method !== 'POST') return browserFetch(request, init);
         return Promise.reject(new TypeError('no server'))",
    );
    ended_by_the_server(&session.connection().unwrap()).await;
    let Closed::Failed(error) = soon(session.closed()).await else { panic!("it did not fail") };
    drop(fetch);
    assert_eq!(error.kind, ErrorKind::ServerUnreachable);
    assert_eq!(soon(channel.next()).await, None);
    let attempts = session.trace().events().into_iter().filter_map(|event| match event.data {
        TraceData::Attempt { number, .. } => Some(number),
        _ => None,
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [1, 2]);
}

#[wasm_bindgen_test]
async fn a_network_that_changes_gets_a_new_path_for_the_same_session() {
    let session = session().await;
    let id = session.connection().unwrap().session_id();
    let credentials = |session: &Session| {
        let description = session.connection().unwrap().raw().remote_description().unwrap().sdp();
        hola_webrtc_protocol::sdp::attribute(&description, "ice-ufrag").unwrap().to_owned()
    };
    let before = credentials(&session);
    js_sys::eval("dispatchEvent(new Event('online'))").unwrap();
    soon(async {
        while credentials(&session) == before {
            pause(10).await;
        }
    })
    .await;
    assert_eq!(session.connection().unwrap().session_id(), id);
    echoes(&mut session.channel(), "over the new path").await;
}

#[wasm_bindgen_test]
async fn dropping_its_last_handle_leaves_nothing_behind() {
    let (peers, listeners) = (PeerConnections::new(), ListenerCount::new());
    let connected = session().await;
    let talk = connected.open_framed("talk", &ChannelOptions::default(), Mode::Resumable).unwrap();
    soon(talk.ready()).await.unwrap();
    drop(connected);
    soon(talk.delivered()).await.unwrap();
    drop(talk);

    let reconnecting = session().await;
    let never = Replaced::fetch(
        "return request.method === 'POST' ? new Promise(() => {}) : browserFetch(request, init)",
    );
    ended_by_the_server(&reconnecting.connection().unwrap()).await;
    event(&reconnecting.trace(), |event| matches!(event.data, TraceData::Attempt { .. })).await;
    let reconnecting_trace = reconnecting.trace();
    let mut states = reconnecting.states();
    drop(reconnecting);
    drop(never);
    assert_eq!(soon(states.next()).await, Some(SessionState::Closed));
    pause(100).await;
    assert!(peers.states().iter().all(|state| state == "closed"), "{:?}", peers.states());
    assert_eq!(listeners.live(), Vec::<String>::new());
    assert!(!soon(reconnecting_trace.subscribe().collect::<Vec<_>>()).await.is_empty());
}
