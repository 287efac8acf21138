//! What a session tells of itself.

use futures_util::{SinkExt, StreamExt};
use hola_webrtc_protocol::{SessionId, Side, Step, TraceData};
use hola_webrtc_server::{Closed, EventsError, Message, ServerEvent};

use crate::{Stand, soon, until};

async fn all_events(stand: &Stand, id: SessionId) -> Vec<ServerEvent> {
    soon(stand.server.events(id, None).unwrap().collect()).await
}

#[tokio::test]
async fn a_session_knows_its_peer_and_counts_what_passes() {
    let stand = Stand::start().await;
    let (_connection, line, session, mut channel) = stand.connect().await;
    assert!(session.remote_address().unwrap().ip().is_loopback());
    assert!(session.context().remote.unwrap().ip().is_loopback());
    for number in 0..10 {
        line.send(format!("{number}")).await.unwrap();
        let message = soon(channel.next()).await.unwrap();
        channel.send(message).await.unwrap();
        soon(line.receive()).await.unwrap();
    }
    let stats = soon(session.stats()).await.unwrap();
    assert_eq!((stats.messages_received, stats.messages_sent, stats.channels), (10, 10, 1));
    assert!(stats.packets_received > 10 && stats.packets_sent > 10, "{stats:?}");
    assert!(stats.bytes_received > stats.packets_received, "{stats:?}");
}

#[tokio::test]
async fn the_events_tell_every_step_on_the_servers_side_in_order_and_how_it_ended() {
    let stand = Stand::start().await;
    let (_connection, _line, session, channel) = stand.connect().await;
    let stream = stand.server.events(session.id(), None).unwrap();
    session.close("that is enough");
    drop(channel);
    let events: Vec<_> = soon(stream.collect()).await;

    assert!(events.iter().enumerate().all(|(place, event)| event.number == place as u64));
    assert!(events.is_sorted_by_key(|event| event.time));
    let done = events.iter().filter(|event| matches!(event.event.data, TraceData::Done { .. }));
    let steps: Vec<_> = done.map(|event| event.event.step.label()).collect();
    assert_eq!(steps, ["6a", "6b", "6c", "6d", "6e", "8a", "8b", "8c"]);
    let has = |is: fn(&TraceData) -> bool| events.iter().any(|event| is(&event.event.data));
    assert!(has(|data| matches!(data, TraceData::CandidatePair { .. })));
    assert!(has(|data| matches!(data, TraceData::Channel { label, .. } if label == "echo")));
    let last = &events.last().unwrap().event;
    let reason = Some("that is enough".to_owned());
    assert_eq!((last.step, &last.data), (Step::OpenChannel, &TraceData::Closed { by: Side::Server, reason }));
}

#[tokio::test]
async fn the_events_of_an_offer_that_never_connects_say_where_it_failed() {
    let server = crate::common::limited(|limits| limits.check_timeout = std::time::Duration::from_millis(50));
    let stand = Stand::of(server).await;
    let context = hola_webrtc_server::OfferContext::default();
    let answered = stand.server.answer(crate::common::OFFER, context).unwrap();
    let events = all_events(&stand, answered.id).await;
    let [.., failed, closed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(failed.event.step, Step::CheckConnectivity);
    assert!(matches!(&failed.event.data, TraceData::Failed { message, .. } if message.contains("check")));
    let reason = Some("never-connected".to_owned());
    assert_eq!(closed.event.data, TraceData::Closed { by: Side::Server, reason });
    until(|| matches!(stand.server.events(answered.id, None), Err(EventsError::NotFound))).await;
}

#[tokio::test]
async fn no_more_streams_of_events_than_may_and_a_finished_one_makes_room() {
    let server = crate::common::limited(|limits| limits.max_event_streams = 2);
    let stand = Stand::of(server).await;
    let (_connection, _line, session, _channel) = stand.connect().await;
    let first = stand.server.events(session.id(), None).unwrap();
    let mut second = stand.server.events(session.id(), Some(3)).unwrap();
    assert_eq!(soon(second.next()).await.unwrap().number, 4);
    assert_eq!(stand.server.events(session.id(), None).err(), Some(EventsError::TooMany));
    drop(first);
    assert!(stand.server.events(session.id(), None).is_ok());
}

#[tokio::test]
async fn an_ice_restart_changes_the_credentials_and_keeps_the_channel() {
    let stand = Stand::start().await;
    let (connection, line, session, mut channel) = stand.connect().await;
    let before = session.remote_address();
    let offer = connection.restart_ice().unwrap();
    let attribute = |name| hola_webrtc_protocol::sdp::attribute(&offer, name).unwrap();
    let (ufrag, password) = (attribute("ice-ufrag"), attribute("ice-pwd"));
    let restarted = soon(stand.server.restart_ice(session.id(), ufrag, password)).await.unwrap();
    let first = connection.reply().answer.clone();
    assert!(!first.contains(&restarted.ufrag) && !first.contains(&restarted.password));
    let answer = hola_webrtc_protocol::sdp::with_credentials(&first, &restarted.ufrag, &restarted.password);
    connection.accept_restart(&answer).unwrap();

    line.send("after the restart").await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::Text("after the restart".to_owned())));
    channel.send(Message::Text("and back".to_owned())).await.unwrap();
    assert_eq!(soon(line.receive()).await, Some("and back".into()));
    assert_eq!(session.remote_address().map(|it| it.ip()), before.map(|it| it.ip()));
}

#[tokio::test]
async fn credentials_that_are_none_are_refused_and_change_nothing() {
    let stand = Stand::start().await;
    let (_connection, line, session, mut channel) = stand.connect().await;
    let good = ("abcd", "0123456789abcdef012345");
    for (ufrag, password) in
        [("abc", good.1), (good.0, "short"), ("a\r\nb", good.1), (good.0, "ñ234567890123456789012")]
    {
        let refused = stand.server.restart_ice(session.id(), ufrag, password).await;
        assert!(refused.is_err(), "{ufrag:?} {password:?}");
    }
    line.send("as before").await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::Text("as before".to_owned())));
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_session_and_no_other() {
    let stand = Stand::start().await;
    let (_connection, line, session, mut channel) = stand.connect().await;
    let (doomed_connection, _line, doomed, _channel) = stand.connect().await;
    let spawner = doomed.spawner();
    spawner.spawn(async move {
        let _session = doomed;
        panic!("a fault of the handler's, as this test wants it");
    });
    soon(doomed_connection.closed()).await;
    until(|| stand.server.session_count() == 1).await;
    line.send("not affected").await.unwrap();
    assert_eq!(soon(channel.next()).await, Some(Message::Text("not affected".to_owned())));
    session.close("done");
    assert_eq!(soon(session.closed()).await, Closed::ByServer);
}
