//! Connections that come up, and never have a channel.

use std::time::{Duration, Instant};

use hola_webrtc_protocol::{Phase, Side, Step, TraceData, signal};
use tokio::time::timeout;
use webrtc::data_channel::RTCDataChannelInit;

use crate::{
    common::{SOON, events::EventSource, exchange_over, figure, program::Program, request},
    offerer::Offerer,
    relay::Relay,
    stand::{LOCALHOST, SLACK, post_over},
};

const TIME: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_client_that_opens_no_channel_is_let_go_in_time_however_far_it_comes_and_counts() {
    let program = Program::start(&["--open-timeout=1s"]).await;
    for (times, has_dtls, last, missing) in
        [(1, false, Step::CheckConnectivity, Phase::Dtls), (2, true, Step::AssociateSctp, Phase::Channel)]
    {
        let relay = Relay::between(LOCALHOST, program.address).await;
        if !has_dtls {
            relay.lose_dtls();
        }
        let mut offerer = Offerer::new(LOCALHOST).await;
        // As if both sides had agreed on it: nobody announces it, and the echo knows of none.
        let agreed = RTCDataChannelInit { negotiated: Some(0), ..RTCDataChannelInit::default() };
        let _line = offerer.channel_with("agreed", agreed).await;
        let offer = offerer.offer().await;
        let begun = Instant::now();
        let answer = post_over(program.connect("http/1.1").await, &offer, &[]).await;
        let session = signal::session_path(answer.session);
        let mut events = EventSource::over(program.connect("http/1.1").await, &session, &[]).await;
        offerer.accept(&answer.rewritten(relay.address)).await;
        // Comments keep the stream alive as long as the session.
        timeout(SOON, events.read_to_end()).await.expect("the session ends");
        let lived = begun.elapsed();

        let told: Vec<_> = events.events().into_iter().map(|(_, timed)| timed.event).collect();
        let done = told.iter().filter(|event| matches!(event.data, TraceData::Done { .. }));
        assert_eq!(done.map(|event| event.step).next_back(), Some(last), "{told:?}");
        let [.., failed, closed] = told.as_slice() else { panic!("{told:?}") };
        assert!(matches!(failed.data, TraceData::Failed { phase, .. } if phase == missing), "{told:?}");
        let reason = Some("not-open-in-time".to_owned());
        assert_eq!(closed.data, TraceData::Closed { by: Side::Server, reason });
        assert!((TIME..TIME + 2 * SLACK).contains(&lived), "{lived:?}");

        let metrics =
            exchange_over(program.connect("http/1.1").await, &request("GET /metrics", &[], "")).await;
        let count = |name: &str| figure(metrics.text(), &format!("hola_webrtc_{name}"));
        assert_eq!(count("limit_reached_total{limit=\"open-timeout\"}"), times);
        assert_eq!(count("sessions_ended_total{reason=\"not-open-in-time\"}"), times);
        for state in ["checking", "connecting", "open"] {
            assert_eq!(count(&format!("sessions{{state=\"{state}\"}}")), 0, "{state}");
        }
        offerer.close().await;
    }
}
