//! Signalling against a `fetch` that answers as a test wants, and the JavaScript API on top.

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::Duration;

use hola_webrtc_client::{
    ConnectOptions, ErrorKind, Phase, ProblemCode, RtcError, SessionDescription, Step, TraceData, connect,
};
use support::{event, page::Replaced, pause, soon, steps};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// What comes of connecting when `fetch` has this body.
async fn error_of(fetch: &str) -> RtcError {
    let _fetch = Replaced::fetch(fetch);
    let connecting = connect("", ConnectOptions::default());
    let trace = connecting.trace();
    let error = soon(connecting).await.unwrap_err();
    let failed = TraceData::Failed { phase: error.phase, message: error.to_string() };
    let last = trace.events().pop().unwrap();
    assert_eq!((last.step, last.data), (error.step, failed));
    error
}

#[wasm_bindgen_test]
async fn whatever_fetch_rejects_with_the_server_counts_as_unreachable() {
    for thrown in
        ["new TypeError('no route')", "'no route'", "null", "{ message: 'no route' }", "Symbol('x')"]
    {
        for fetch in [format!("return Promise.reject({thrown})"), format!("throw {thrown}")] {
            let error = error_of(&fetch).await;
            assert_eq!(error.kind, ErrorKind::ServerUnreachable, "{fetch}");
            assert_eq!((error.phase, error.step), (Phase::Signalling, Step::SendOffer));
            assert!(error.retryable());
            assert!(!thrown.contains("route") || error.to_string().contains("no route"), "{error}");
        }
    }
}

#[wasm_bindgen_test]
async fn a_body_that_breaks_off_is_an_error_whatever_it_broke_with() {
    let error = error_of(
        "return Promise.resolve(new Response(new ReadableStream({ start(c) { c.error('cut') } }), { status: 201 }))",
    );
    let error = error.await;
    assert_eq!(error.kind, ErrorKind::ServerUnreachable);
    assert!(error.to_string().contains("broke off"), "{error}");
}

#[wasm_bindgen_test]
async fn a_fetch_that_yields_no_response_is_an_error() {
    assert_eq!(error_of("return Promise.resolve(42)").await.kind, ErrorKind::ServerUnreachable);
    assert_eq!(error_of("return 42").await.kind, ErrorKind::ServerUnreachable);
}

#[wasm_bindgen_test]
async fn a_refusal_carries_the_servers_problem() {
    let error = error_of(
        "return Promise.resolve(new Response(
            JSON.stringify({ code: 'unavailable', status: 503, title: 'Full', detail: 'come back later' }),
            { status: 503, headers: { 'content-type': 'application/problem+json; charset=utf-8' } }))",
    )
    .await;
    let ErrorKind::Refused(problem) = &error.kind else { panic!("{error:?}") };
    assert_eq!(problem.code, ProblemCode::Unavailable);
    assert_eq!(error.hint(), "come back later");
    assert!(error.retryable());
}

#[wasm_bindgen_test]
async fn replies_of_another_make_are_told_by_their_status_or_as_a_bad_answer() {
    let error = error_of("return Promise.resolve(new Response('<h1>Not found</h1>', { status: 404 }))").await;
    assert_eq!(error.kind, ErrorKind::UnexpectedReply { status: 404 });
    let error = error_of(
        "return Promise.resolve(new Response(JSON.stringify({ title: 'of another make' }),
            { status: 400, headers: { 'content-type': 'application/problem+json' } }))",
    )
    .await;
    assert_eq!(error.kind, ErrorKind::UnexpectedReply { status: 400 });
    for body in ["''", "'<h1>Hello</h1>'", "'{}'", "'{\"type\":\"offer\",\"sdp\":\"v=0\"}'"] {
        let error = error_of(&format!("return Promise.resolve(new Response({body}))")).await;
        assert_eq!(error.kind, ErrorKind::BadAnswer, "{body}");
    }
}

#[wasm_bindgen_test]
async fn a_bad_answer_ends_the_session_that_came_with_it() {
    let global = js_sys::global();
    let _requests = Replaced::new(&global, "requests", &js_sys::Array::new());
    let error = error_of(
        "requests.push(`${request.method} ${new URL(request.url).pathname} ${request.keepalive}`);
         return Promise.resolve(new Response('?', { status: 201, headers: { location: '/sessions/1' } }))",
    )
    .await;
    assert_eq!(error.kind, ErrorKind::BadAnswer);
    soon(async {
        while js_sys::eval("requests.length").unwrap() != 2 {
            pause(5).await;
        }
    })
    .await;
    let requests = js_sys::eval("requests.join()").unwrap().as_string().unwrap();
    assert_eq!(requests, "POST /offer false,DELETE /sessions/1 true");
}

#[wasm_bindgen_test]
async fn a_session_of_another_node_is_ended_there_without_the_token_and_never_without_tls() {
    let global = js_sys::global();
    for (location, ended) in [
        ("https://node-1.h/sessions/1", ",DELETE https://node-1.h/sessions/1 null"),
        ("//node-1.h/sessions/1", ",DELETE https://node-1.h/sessions/1 null"),
        ("http://node-1.h/sessions/1", ""),
        ("http://h/sessions/1", ""),
        ("data:text/plain,sessions/1", ""),
    ] {
        let _requests = Replaced::new(&global, "requests", &js_sys::Array::new());
        let _fetch = Replaced::fetch(&format!(
            "requests.push(`${{request.method}} ${{request.url}} ${{request.headers.get('authorization')}}`);
             return Promise.resolve(new Response('?', {{ status: 201, headers: {{ location: '{location}' }} }}))"
        ));
        let options = ConnectOptions::default().token("secret");
        let error = soon(connect("https://h", options)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadAnswer);
        let requests = js_sys::eval("requests.join()").unwrap().as_string().unwrap();
        assert_eq!(requests, format!("POST https://h/offer Bearer secret{ended}"), "{location}");
    }
}

#[wasm_bindgen_test]
async fn what_is_no_servers_url_is_refused_before_anything_is_sent() {
    let _fetch = Replaced::fetch("throw 'not to be called'");
    for url in ["https://", "ftp://h/", "https://user:secret@h/", "javascript:alert(1)", "http://h:99999"] {
        let error = soon(connect(url, ConnectOptions::default())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidUrl, "{url}: {error}");
    }
}

#[wasm_bindgen_test]
async fn the_offer_is_posted_as_json_to_where_the_url_says() {
    for (url, posted) in [
        ("", "/offer"),
        ("/", "/offer"),
        ("/rtc", "/rtc/offer"),
        ("/rtc/offer?room=1", "/rtc/offer?room=1"),
        ("https://h:8443", "https://h:8443/offer"),
    ] {
        let global = js_sys::global();
        let _request = Replaced::new(&global, "posted", &wasm_bindgen::JsValue::NULL);
        let _fetch = Replaced::fetch(
            "const { method, url, headers } = request;
             const type = headers.get('content-type'), language = headers.get('accept-language');
             return request.text().then((body) => { posted = { method, url, type, language, body }; throw 'seen' })",
        );
        let options = ConnectOptions::default().language("es");
        let connecting = connect(url, options);
        let trace = connecting.trace();
        soon(connecting).await.unwrap_err();
        let field = |name: &str| js_sys::eval(&format!("posted.{name}")).unwrap().as_string().unwrap();
        let wanted =
            js_sys::eval(&format!("new URL('{posted}', location).href")).unwrap().as_string().unwrap();
        assert_eq!((field("method"), field("url")), ("POST".to_owned(), wanted.clone()));
        assert_eq!((field("type"), field("language")), ("application/json".to_owned(), "es".to_owned()));
        let body = js_sys::eval("JSON.parse(posted.body)").unwrap();
        let offer: SessionDescription = serde_wasm_bindgen::from_value(body).unwrap();
        assert!(offer.sdp.starts_with("v=0"));
        let bytes = u32::try_from(field("body").len()).unwrap();
        event(&trace, |event| event.data == TraceData::Request { url: wanted.clone(), bytes }).await;
    }
}

#[wasm_bindgen_test]
async fn what_is_added_to_a_clone_of_the_options_is_not_sent_with_the_others() {
    let global = js_sys::global();
    let _seen = Replaced::new(&global, "seen", &wasm_bindgen::JsValue::NULL);
    let _fetch = Replaced::fetch(
        "seen = `${request.headers.get('authorization')} ${request.headers.get('accept-language')}`; throw 'seen'",
    );
    let common = ConnectOptions::default().language("es");
    let secret = common.clone().token("s3cret");
    for (options, seen) in [(common, "null es"), (secret, "Bearer s3cret es")] {
        soon(connect("/", options)).await.unwrap_err();
        assert_eq!(js_sys::eval("seen").unwrap().as_string().as_deref(), Some(seen));
    }
}

#[wasm_bindgen_test]
async fn giving_up_aborts_the_request() {
    let global = js_sys::global();
    let _signal = Replaced::new(&global, "aborted", &wasm_bindgen::JsValue::NULL);
    let _fetch = Replaced::fetch(
        "aborted = request.signal; return new Promise((_, reject) =>
            request.signal.addEventListener('abort', () => reject(request.signal.reason)))",
    );
    let aborted = || js_sys::eval("aborted && aborted.aborted").unwrap();
    let mut connecting = connect("", ConnectOptions::default());
    let trace = connecting.trace();
    soon(async {
        while !steps(&trace, |data| *data == TraceData::Began).contains(&"5") || aborted().is_null() {
            assert!(futures_util::FutureExt::now_or_never(&mut connecting).is_none());
            pause(5).await;
        }
    })
    .await;
    assert_eq!(aborted(), false);
    drop(connecting);
    assert_eq!(aborted(), true);
}

#[wasm_bindgen_test]
async fn a_server_that_does_not_reply_runs_into_the_deadline_of_signalling() {
    let _fetch = Replaced::fetch("return new Promise(() => {})");
    let options = ConnectOptions::default().deadline(Duration::from_millis(300));
    let error = soon(connect("", options)).await.unwrap_err();
    assert_eq!((error.phase, error.kind), (Phase::Signalling, ErrorKind::Timeout));
}
