//! The JavaScript API, as a page uses it: with a server of another make, which replies 200 and no `Location`.

#![cfg(all(target_arch = "wasm32", feature = "js"))]
#![allow(missing_docs, unreachable_pub, clippy::expect_used, clippy::unwrap_used, reason = "a test")]

mod support;

use hola_webrtc_client::js;
use js_sys::{Array, Function, Promise, Reflect};
use support::{page::Replaced, soon};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// An answerer and echo made of the page's own `RTCPeerConnection`, with complete gathering.
const ANSWERER: &str = "
    const pc = new RTCPeerConnection();
    window.answerer = pc;
    pc.ondatachannel = ({ channel }) => {
        channel.binaryType = 'arraybuffer';
        channel.onmessage = ({ data }) => channel.send(data);
        channel.send('welcome');
    };
    return (async () => {
        await pc.setRemoteDescription(await request.json());
        await pc.setLocalDescription(await pc.createAnswer());
        while (pc.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 5));
        return new Response(JSON.stringify(pc.localDescription), { headers: { 'content-type': 'application/json' } });
    })()";

/// Runs the body of an async function with the connection as `connection`, and gives what it returns.
async fn run(connection: js::JsConnection, body: &str) -> JsValue {
    let function = js_sys::eval(&format!("(async (connection) => {{ {body} }})")).unwrap();
    let promise = function.unchecked_ref::<Function>().call1(&JsValue::NULL, &connection.into()).unwrap();
    soon(JsFuture::from(promise.unchecked_into::<Promise>())).await.unwrap()
}

fn options(source: &str) -> JsValue {
    js_sys::eval(&format!("({source})")).unwrap()
}

fn texts(array: &JsValue) -> Vec<String> {
    Array::from(array).iter().map(|value| value.as_string().unwrap_or_else(|| format!("{value:?}"))).collect()
}

#[wasm_bindgen_test]
async fn a_page_sends_and_receives_as_with_a_websocket() {
    let _fetch = Replaced::fetch(ANSWERER);
    let connection =
        soon(js::connect(String::new(), options("{ gathering: 'complete', label: 'any' }"))).await.unwrap();
    let received = run(
        connection,
        "const texts = [];
         const received = new Promise((done) => {
             connection.onmessage = ({ data }) => {
                 texts.push(typeof data === 'string' ? data : `${data.constructor.name} ${new Uint8Array(data)}`);
                 if (texts.length === 6) done();
             };
         });
         connection.send('hello');
         connection.send('');
         connection.send(new Uint8Array([1, 2, 3]).subarray(1));
         connection.send(new Uint8Array([4, 5]).buffer);
         connection.send(new ArrayBuffer(0));
         await received;
         const closed = new Promise((done) => { connection.onclose = done; });
         texts.push(connection.state, String(connection.sessionId), String(connection.bufferedAmount));
         connection.close();
         texts.push((await closed).by, connection.state);
         return texts;",
    )
    .await;
    assert_eq!(
        texts(&received),
        [
            "welcome",
            "hello",
            "",
            "ArrayBuffer 2,3",
            "ArrayBuffer 4,5",
            "ArrayBuffer ",
            "connected",
            "undefined",
            "0",
            "local",
            "closed"
        ]
    );
}

#[wasm_bindgen_test]
async fn the_trace_is_an_array_of_plain_objects() {
    let _fetch = Replaced::fetch(ANSWERER);
    let connection = soon(js::connect(String::new(), JsValue::UNDEFINED)).await.unwrap();
    let told = run(
        connection,
        "const { trace } = connection;
         connection.close();
         const first = trace[0];
         return [JSON.stringify(Object.keys(first)), first.step, first.side, first.event,
             trace.find(({ event, side }) => event === 'description' && side === 'server').description.type,
             JSON.stringify([...new Set(trace.filter(({ event }) => event === 'done').map(({ step }) => step))])];",
    )
    .await;
    assert_eq!(
        texts(&told),
        [
            r#"["step","side","at","event"]"#,
            "1",
            "client",
            "began",
            "answer",
            r#"["1","2","3","4","5","7","8a","8b","8c","8d"]"#
        ]
    );
}

#[wasm_bindgen_test]
async fn a_close_by_the_other_side_is_told_after_the_last_message() {
    let _fetch = Replaced::fetch(ANSWERER);
    let connection = soon(js::connect(String::new(), JsValue::NULL)).await.unwrap();
    let told = run(
        connection,
        "const told = [];
         await new Promise((done) => {
             connection.onclose = ({ by, error }) => { told.push(by, String(error)); done(); };
             connection.onmessage = ({ data }) => { told.push(data); answerer.close(); };
         });
         try { connection.send('late'); } catch (error) {
             told.push(error.name, error.kind, String(error instanceof Error));
         }
         await connection.ready().catch((error) => told.push(error.kind));
         return told;",
    )
    .await;
    assert_eq!(texts(&told), ["welcome", "remote", "undefined", "SendError", "not-open", "true", "not-open"]);
}

#[wasm_bindgen_test]
async fn failures_are_real_errors_with_more_to_read() {
    let get = |error: &JsValue, name: &str| Reflect::get(error, &name.into()).unwrap();
    let text = |error: &JsValue, name: &str| get(error, name).as_string().unwrap();

    let _fetch = Replaced::fetch(
        "return Promise.resolve(new Response(
            JSON.stringify({ code: 'bad-sdp', status: 400, title: 'The SDP', detail: 'line 3' }),
            { status: 400, headers: { 'content-type': 'application/problem+json' } }))",
    );
    let error = soon(js::connect(String::new(), JsValue::UNDEFINED)).await.err().unwrap();
    assert!(error.is_instance_of::<js_sys::Error>());
    assert_eq!((text(&error, "name"), text(&error, "kind")), ("RtcError".to_owned(), "refused".to_owned()));
    assert_eq!((text(&error, "phase"), text(&error, "step")), ("signalling".to_owned(), "5".to_owned()));
    assert_eq!(text(&error, "hint"), "line 3");
    assert_eq!(get(&error, "retryable"), false);
    assert_eq!(text(&get(&error, "cause"), "code"), "bad-sdp");

    for given in ["{ gathering: 'maybe' }", "{ deadline: -1 }", "{ deadline: 'soon' }", "{ iceServers: 7 }"] {
        let error = soon(js::connect(String::new(), options(given))).await.err().unwrap();
        assert_eq!(
            (text(&error, "name"), text(&error, "kind")),
            ("RtcError".to_owned(), "js".to_owned()),
            "{given}"
        );
    }
}

#[wasm_bindgen_test]
async fn what_cannot_be_sent_is_a_type_error() {
    let _fetch = Replaced::fetch(ANSWERER);
    let connection = soon(js::connect(String::new(), JsValue::UNDEFINED)).await.unwrap();
    let thrown = run(
        connection,
        "const names = [];
         for (const data of [42, null, undefined, {}, new Blob([])]) {
             try { connection.send(data); } catch ({ name }) { names.push(name); }
         }
         connection.close();
         return names;",
    )
    .await;
    assert_eq!(texts(&thrown), ["TypeError"; 5]);
}
