use super::*;

fn registry(limits: Limits) -> Arc<Registry> {
    Arc::new(Registry::new(limits, Instant::now()))
}

#[test]
fn one_client_gets_its_places_and_no_more_until_one_is_free() {
    let registry = registry(Limits { max_sessions_per_address: 2, ..Limits::new() });
    let admit = |client: &str| registry.admit(Some(client.parse().unwrap()));
    let first = admit("2001:db8::1").unwrap();
    let _second = admit("2001:db8::2").unwrap();
    assert_eq!(admit("2001:db8::3").err(), Some(AnswerError::TooManySessionsOfAddress));
    assert!(admit("2001:db8:0:1::1").is_ok() && admit("192.0.2.1").is_ok());
    drop(first);
    assert!(admit("2001:db8::3").is_ok());
}

#[test]
fn a_client_that_may_have_no_session_leaves_nothing() {
    let registry = registry(Limits { max_sessions_per_address: 0, ..Limits::new() });
    let refused = registry.admit(Some([192, 0, 2, 1].into()));
    assert_eq!(refused.err(), Some(AnswerError::TooManySessionsOfAddress));
    assert_eq!(registry.residue(), 0);
}

#[test]
fn places_that_are_given_back_leave_nothing() {
    let registry = registry(Limits { max_sessions: 3, ..Limits::new() });
    let places: Vec<_> = (0..3).map(|_| registry.admit(Some([192, 0, 2, 1].into())).unwrap()).collect();
    assert_eq!(registry.admit(None).err(), Some(AnswerError::Full));
    drop(places);
    assert_eq!(registry.residue(), 0);
    registry.drain();
    assert_eq!(registry.admit(None).err(), Some(AnswerError::Draining));
}

#[test]
fn only_who_holds_more_than_its_share_pays_for_the_total() {
    let registry = registry(Limits { total_buffer: 1000, ..Limits::new() });
    let _places: Vec<_> = (0..4).map(|_| registry.admit(None).unwrap()).collect();
    assert!(registry.hold(0, 900));
    assert!(registry.hold(0, 100));
    assert!(registry.hold(100, 250), "its share");
    assert!(!registry.hold(900, 901));
    assert!(registry.hold(901, 0) && registry.hold(250, 0));
}
