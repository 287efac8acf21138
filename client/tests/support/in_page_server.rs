//! A server made of the page's own `fetch` and peer connections: it answers every offer, echoes, and opens a channel itself.

use wasm_bindgen::JsValue;

use super::page::Replaced;

/// Its state is `globalThis.server`: `peers`, their `channels`, what it has opened on each as `opened`, and how many `patches`
/// came; if it `isMute` it never replies to those, and counts how many are `aborted`.
pub struct InPageServer {
    _fetch: Replaced,
}

impl InPageServer {
    /// Runs `opened` on each connection as its first channel opens: JavaScript that knows `peer`, and `channel`.
    pub fn new(opened: &str) -> Self {
        run("globalThis.server = { peers: [], opened: [], patches: 0, isMute: false, aborted: 0 }");
        let fetch = Replaced::fetch(&format!(
            "if (request.method === 'PATCH') server.patches += 1;
             if (request.method === 'PATCH' && server.isMute) {{
                 return new Promise((_, abort) => request.signal.addEventListener('abort', () => {{
                     server.aborted += 1;
                     abort(new Error('aborted'));
                 }}));
             }}
             if (request.method !== 'POST') return Promise.resolve(new Response('', {{ status: 404 }}));
             return (async () => {{
                 const peer = new RTCPeerConnection();
                 server.peers.push(peer);
                 peer.ondatachannel = ({{ channel }}) => {{
                     channel.onmessage = ({{ data }}) => channel.send(data);
                     (peer.channels ??= []).push(channel);
                     if (peer.first) return;
                     peer.first = channel;
                     const opened = () => {{ {opened} }};
                     if (channel.readyState === 'open') opened();
                     else channel.onopen = opened;
                 }};
                 await peer.setRemoteDescription(await request.json());
                 server.opened.push(peer.createDataChannel('of the server'));
                 await peer.setLocalDescription();
                 while (peer.iceGatheringState !== 'complete') await new Promise((later) => setTimeout(later, 5));
                 return new Response(JSON.stringify(peer.localDescription), {{
                     status: 201,
                     headers: {{ 'Content-Type': 'application/json', Location: '/sessions/1' }},
                 }});
             }})()"
        ));
        Self { _fetch: fetch }
    }
}

impl Drop for InPageServer {
    fn drop(&mut self) {
        run("for (const peer of server.peers) peer.close()");
    }
}

/// Ends the last connection.
pub fn end_last() {
    run("server.peers.at(-1).close()");
}

/// The whole number that this JavaScript yields.
pub fn number(script: &str) -> u32 {
    serde_wasm_bindgen::from_value(run(script)).expect("a whole number")
}

/// Runs this JavaScript.
pub fn run(script: &str) -> JsValue {
    js_sys::eval(script).expect("the script throws")
}
