//! Against a running server, whose URL is in `HOLA_WEBRTC_TEST_SERVER` when this is compiled. It has to allow any
//! origin, and, for Firefox, to have another address than loopback:
//! `hola-webrtc --listen 0.0.0.0:8443 --allow-origin '*'`.

#![cfg(all(target_arch = "wasm32", feature = "server-tests"))]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::{cell::Cell, rc::Rc, time::Duration};

use futures_util::{FutureExt, SinkExt, StreamExt, join};
use hola_webrtc_client::{
    ChannelOptions, ChannelState, Closed, ConnectOptions, ConnectionState, ErrorKind, Gate, Gathering,
    HIGH_WATER, Message, ProblemCode, Side, Step, TraceData, connect,
};
use hola_webrtc_protocol::signal;
use support::{
    event, next,
    page::Replaced,
    pause,
    server::{SERVER, echo},
    soon, steps, within,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// The status that a request to the server has, without a body.
async fn status(method: &str, path: &str) -> i32 {
    let fetch = format!("fetch('{SERVER}{path}', {{ method: '{method}' }}).then(({{ status }}) => status)");
    let promise: js_sys::Promise = js_sys::eval(&fetch).unwrap().unchecked_into();
    let status = soon(JsFuture::from(promise)).await.unwrap();
    (100..600).find(|number| status == *number).unwrap()
}

/// Within so many milliseconds the server forgets a session that its peer has left.
const GONE_WITHIN: u32 = 2000;

#[wasm_bindgen_test]
async fn the_eight_steps_happen_with_the_servers_part_told() {
    let (connection, _channel) = echo().await;
    let trace = connection.trace();
    let done = steps(&trace, |data| matches!(data, TraceData::Done { .. }));
    assert_eq!(done, ["1", "2", "3", "4", "5", "6a", "6b", "6c", "6d", "6e", "7", "8a", "8b", "8c", "8d"]);
    let session = connection.session_id().expect("no session was named");
    event(&trace, |event| event.data == TraceData::Response { status: 201, session: Some(session) }).await;
    event(&trace, |event| {
        event.side == Side::Server
            && event.step == Step::AddHostCandidates
            && matches!(event.data, TraceData::Candidate { .. })
    })
    .await;
    let pair = event(&trace, |event| matches!(event.data, TraceData::CandidatePair { .. })).await;
    let TraceData::CandidatePair { remote, .. } = pair.data else { unreachable!() };
    assert!(!remote.address.is_empty());
}

#[wasm_bindgen_test]
async fn the_server_greets_in_the_language_asked_for_and_then_echoes() {
    let mut greetings = Vec::new();
    for language in ["es", "en"] {
        let connection = soon(connect(SERVER, ConnectOptions::default().language(language))).await.unwrap();
        let mut channel = connection.channel();
        let Message::Text(greeting) = next(&mut channel).await else { panic!("the greeting is no text") };
        let session = connection.session_id().unwrap().to_string();
        greetings.push(greeting.replace(&session, "SESSION"));
        channel.send(Message::from("hola")).await.unwrap();
        assert_eq!(next(&mut channel).await, Message::from("hola"));
    }
    assert_ne!(greetings[0], greetings[1]);
}

#[wasm_bindgen_test]
async fn texts_and_bytes_of_every_size_come_back_unchanged() {
    let (_connection, mut channel) = echo().await;
    let mut messages = vec![Message::from("¡hola! 👋")];
    for size in [0, 1, 1200, 16_384, 65_536] {
        messages.push(Message::from("x".repeat(size)));
        messages.push(Message::from((0..=255).cycle().take(size).collect::<Vec<u8>>()));
    }
    for message in messages {
        channel.send(message.clone()).await.unwrap();
        assert!(next(&mut channel).await == message, "{} bytes", message.len());
    }
}

#[wasm_bindgen_test]
async fn a_thousand_messages_come_back_in_order() {
    let (_connection, mut channel) = echo().await;
    let back = channel.clone();
    let send = async {
        for number in 0..1000 {
            channel.send(Message::from(number.to_string())).await.unwrap();
        }
    };
    let (received, ()) =
        within(Duration::from_secs(30), async { join!(back.take(1000).collect::<Vec<_>>(), send) }).await;
    assert!(received.into_iter().enumerate().all(|(number, text)| text == Message::from(number.to_string())));
}

#[wasm_bindgen_test]
async fn sending_much_stays_below_the_high_water_mark() {
    const COUNT: usize = 256;
    const SIZE: u32 = 65_536;
    let (_connection, mut channel) = echo().await;
    let back = channel.clone();
    let mut most = 0;
    let send = async {
        for _ in 0..COUNT {
            channel.send(Message::from(vec![7; SIZE as usize])).await.unwrap();
            most = most.max(channel.buffered_amount());
        }
    };
    let (received, ()) = within(Duration::from_mins(1), async {
        join!(back.take(COUNT).fold(0, async |sum, message| sum + message.len()), send)
    })
    .await;
    assert_eq!(received, COUNT * SIZE as usize);
    assert!(most <= HIGH_WATER + SIZE, "{most} bytes waited");
}

#[wasm_bindgen_test]
async fn further_channels_and_unreliable_ones_echo_as_well() {
    let (connection, _channel) = echo().await;
    let options = ChannelOptions::default().unordered().max_retransmits(0);
    let mut channel = connection.open_channel("unreliable", &options).unwrap();
    soon(channel.ready()).await.unwrap();
    channel.send(Message::from("over here")).await.unwrap();
    assert_eq!(next(&mut channel).await, Message::from("over here"));
}

#[wasm_bindgen_test]
async fn complete_gathering_connects_too() {
    let gathering = Gathering::Complete { deadline: Duration::from_secs(5) };
    let options = ConnectOptions::default().label("echo").gathering(gathering);
    let connection = soon(connect(SERVER, options)).await.unwrap();
    let mut channel = connection.channel();
    channel.send(Message::from("gathered")).await.unwrap();
    assert_eq!(next(&mut channel).await, Message::from("gathered"));
}

#[wasm_bindgen_test]
async fn two_sessions_at_once_do_not_meet() {
    let ((one, mut first), (other, mut second)) = join!(echo(), echo());
    assert_ne!(one.session_id(), other.session_id());
    first.send(Message::from("first")).await.unwrap();
    second.send(Message::from("second")).await.unwrap();
    assert_eq!(next(&mut first).await, Message::from("first"));
    assert_eq!(next(&mut second).await, Message::from("second"));
    assert!(first.next().now_or_never().is_none());
}

#[wasm_bindgen_test]
async fn a_session_that_the_server_ends_is_closed_by_the_other_side() {
    let (connection, mut channel) = echo().await;
    let path = signal::session_path(connection.session_id().unwrap());
    assert_eq!(status("DELETE", &path).await, 204);
    assert_eq!(soon(connection.closed()).await, Closed::Remote);
    assert_eq!(soon(channel.next()).await, None);
    assert_eq!(status("DELETE", &path).await, 404);
}

#[wasm_bindgen_test]
async fn closing_ends_the_session_on_the_server_and_a_new_one_can_start() {
    let (connection, channel) = echo().await;
    let path = signal::session_path(connection.session_id().unwrap());
    connection.close();
    assert_eq!(channel.state(), ChannelState::Closed);
    pause(GONE_WITHIN).await;
    assert_eq!(status("DELETE", &path).await, 404);
    let (again, _channel) = echo().await;
    assert_eq!(again.state(), ConnectionState::Connected);
}

#[wasm_bindgen_test]
async fn giving_up_before_a_step_leaves_no_session() {
    for given_up in [
        Step::CreateDataChannel,
        Step::SetLocalOffer,
        Step::SetRemoteAnswer,
        Step::CheckConnectivity,
        Step::AssociateSctp,
    ] {
        let reached = Rc::new(Cell::new(false));
        let gate = Gate::new({
            let reached = Rc::clone(&reached);
            move |step: Step| {
                let holds = step == given_up;
                reached.set(reached.get() || holds);
                async move {
                    if holds {
                        std::future::pending::<()>().await;
                    }
                }
            }
        });
        let mut connecting = connect(SERVER, ConnectOptions::default().gate(gate));
        let trace = connecting.trace();
        soon(async {
            while !reached.get() {
                assert!((&mut connecting).now_or_never().is_none());
                pause(1).await;
            }
        })
        .await;
        drop(connecting);
        let session = trace.events().into_iter().find_map(|event| match event.data {
            TraceData::Response { session, .. } => session,
            _ => None,
        });
        assert_eq!(session.is_some(), given_up >= Step::SetRemoteAnswer);
        if let Some(session) = session {
            pause(GONE_WITHIN).await;
            assert_eq!(status("DELETE", &signal::session_path(session)).await, 404, "before {given_up}");
        }
    }
    echo().await;
}

#[wasm_bindgen_test]
async fn giving_up_while_the_offer_is_under_way_leaves_a_page_that_can_connect() {
    let mut connecting = connect(SERVER, ConnectOptions::default());
    let trace = connecting.trace();
    soon(async {
        // The reply cannot be there at the poll that sends the offer.
        loop {
            assert!((&mut connecting).now_or_never().is_none());
            if steps(&trace, |data| *data == TraceData::Began).contains(&"5") {
                break;
            }
            pause(1).await;
        }
    })
    .await;
    drop(connecting);
    echo().await;
}

#[wasm_bindgen_test]
async fn a_refused_offer_says_why() {
    // The browser's own fetch, with another body.
    let _fetch = Replaced::fetch(
        "const { url, method, headers } = request;
         return browserFetch(url, { method, headers, body: JSON.stringify({ type: 'offer', sdp: 'v=0' }) })",
    );
    let error = soon(connect(SERVER, ConnectOptions::default())).await.unwrap_err();
    let ErrorKind::Refused(problem) = &error.kind else { panic!("{error:?}") };
    assert!(matches!(problem.code, ProblemCode::BadSdp | ProblemCode::NoDataChannel), "{problem}");
    assert_eq!(error.hint(), problem.detail);
    assert!(!error.retryable());
}

#[wasm_bindgen_test]
async fn an_address_without_a_server_is_unreachable() {
    let error = soon(connect("https://127.0.0.1:9", ConnectOptions::default())).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ServerUnreachable);
}
