use super::*;

#[track_caller]
fn assert_holds(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.encode();
    for line in lines {
        assert!(text.lines().any(|other| other == *line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_counted_stands_in_the_text() {
    let metrics = Metrics::new();
    metrics.session_moved(None, Some(SessionState::Checking));
    metrics.session_moved(None, Some(SessionState::Checking));
    metrics.session_moved(Some(SessionState::Checking), Some(SessionState::Open));
    metrics.session_moved(Some(SessionState::Checking), None);
    metrics.session_ended(Closed::NeverConnected);
    metrics.offer(Ok(()));
    metrics.offer(Err(ProblemCode::NoDataChannel));
    metrics.step(Step::BuildPeer, Duration::from_micros(300));
    metrics.step(Step::CreateOffer, Duration::from_secs(1));
    metrics.message(Direction::In, 200);
    metrics.datagrams(Direction::Out, 8, 9600);
    metrics.dropped(Dropped::NoSession);
    metrics.limit_reached(Limit::MaxSessions);
    metrics.limit_reached(Limit::MaxSessions);
    metrics.lag(Duration::from_mins(1));
    metrics.buffered(1024);
    metrics.parked(None, Some(100));
    metrics.parked(None, Some(0));
    metrics.parked(Some(100), None);
    metrics.parked(Some(0), Some(50));
    metrics.resumed();
    metrics.workers(2);
    metrics.handed_over(5);
    metrics.retransmitted(3);
    metrics.connection_opened();
    metrics.connection_opened();
    metrics.connection_closed();
    metrics.handshake_began();
    metrics.handshake_ended();
    assert_holds(
        &metrics,
        &[
            "# TYPE hola_webrtc_sessions gauge",
            r#"hola_webrtc_sessions{state="checking"} 0"#,
            r#"hola_webrtc_sessions{state="connecting"} 0"#,
            r#"hola_webrtc_sessions{state="open"} 1"#,
            r#"hola_webrtc_sessions_ended_total{reason="never-connected"} 1"#,
            r#"hola_webrtc_offers_total{outcome="answered"} 1"#,
            r#"hola_webrtc_offers_total{outcome="no-data-channel"} 1"#,
            "# TYPE hola_webrtc_step_seconds histogram",
            r#"hola_webrtc_step_seconds_sum{step="6a"} 0.0003"#,
            r#"hola_webrtc_step_seconds_count{step="6a"} 1"#,
            r#"hola_webrtc_step_seconds_bucket{le="0.00025",step="6a"} 0"#,
            r#"hola_webrtc_step_seconds_bucket{le="0.0005",step="6a"} 1"#,
            r#"hola_webrtc_step_seconds_bucket{le="+Inf",step="8d"} 0"#,
            r#"hola_webrtc_messages_total{direction="in"} 1"#,
            r#"hola_webrtc_message_bytes_total{direction="in"} 200"#,
            r#"hola_webrtc_datagrams_total{direction="out"} 8"#,
            r#"hola_webrtc_datagram_bytes_total{direction="out"} 9600"#,
            r#"hola_webrtc_dropped_total{reason="no-session"} 1"#,
            r#"hola_webrtc_limit_reached_total{limit="max-sessions"} 2"#,
            r#"hola_webrtc_limit_reached_total{limit="write-timeout"} 0"#,
            r#"hola_webrtc_engine_lag_seconds_bucket{le="15.0"} 0"#,
            r#"hola_webrtc_engine_lag_seconds_bucket{le="+Inf"} 1"#,
            "hola_webrtc_buffered_bytes 1024",
            "hola_webrtc_parked 1",
            "hola_webrtc_parked_bytes 50",
            "hola_webrtc_resumed_total 1",
            "hola_webrtc_workers 2",
            "hola_webrtc_handed_over_total 5",
            "hola_webrtc_sctp_retransmissions_total 3",
            "hola_webrtc_connections 1",
            "hola_webrtc_handshakes 0",
            concat!(r#"hola_webrtc_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
            "# EOF",
        ],
    );
    assert!(metrics.encode().lines().any(|line| line.starts_with("process_start_time_seconds 1")));
    assert!(!metrics.encode().contains(r#"step="3""#));
}

#[test]
fn two_servers_count_apart() {
    let (one, other) = (Metrics::new(), Metrics::new());
    one.connection_opened();
    assert_holds(&one, &["hola_webrtc_connections 1"]);
    assert_holds(&other, &["hola_webrtc_connections 0"]);
}
