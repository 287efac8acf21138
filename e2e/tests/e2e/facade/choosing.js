// What a page chooses reaches the browser and the server, with a server made of the page's own `fetch` and peer connections.

import { RtcError, connect } from "./pkg/index.js";
import { check, equal, nothingHeld, reasonOf, until } from "./expect.js";
import { connections, requests } from "./ledger.js";
import { ends, serve, session } from "./own_server.js";

// A channel's options are those of the channel that the other side gets.
const modes = async () => {
  const peers = serve();
  const chosen = await session(peers);
  const [peer] = peers;
  const other = (label) => peer.channels.find((channel) => channel.label === label);
  for (const [label, options] of [
    ["at most twice", { ordered: false, maxRetransmits: 2 }],
    ["for a while", { maxPacketLifeTime: 250, protocol: "chess" }],
    ["plain", {}],
  ]) {
    await chosen.openChannel(label, options).ready;
    await until(() => other(label));
    const { ordered, maxRetransmits, maxPacketLifeTime, protocol } = other(label);
    const expected = { ordered: true, maxRetransmits: null, maxPacketLifeTime: null, protocol: "", ...options };
    equal(JSON.stringify({ ordered, maxRetransmits, maxPacketLifeTime, protocol }), JSON.stringify(expected));
  }

  const agreed = { negotiated: true, id: 70 };
  const theirs = peer.createDataChannel("agreed", agreed);
  const ours = chosen.openChannel("agreed", agreed);
  const heard = new Promise((resolve) => (ours.onmessage = ({ data }) => resolve(data)));
  theirs.onmessage = ({ data }) => theirs.send(`${data}!`);
  await ours.ready;
  equal(ours.id, 70);
  await until(() => theirs.readyState === "open");
  ours.send("hello");
  equal(await heard, "hello!");
  equal(other("agreed"), undefined);
  theirs.onmessage = null;
  await ends(chosen, peers);
};

// Candidates, servers and headers of the offer.
const offers = async () => {
  const offered = async (options) => {
    const asked = [];
    const peers = serve(undefined, (request) => asked.push(request));
    const { length } = connections;
    const begun = connect(location.origin, options);
    await begun.ready;
    const [[request], [peer]] = [asked, peers];
    const { iceServers } = connections[length].getConfiguration();
    const { sdp } = peer.remoteDescription;
    await ends(begun, peers);
    return { headers: request.headers, iceServers: iceServers ?? [], sdp };
  };
  const iceServers = [{ urls: ["stun:127.0.0.1:3478"] }];
  const whole = await offered({ gathering: "complete", gatheringDeadline: 1000, iceServers, language: "gl" });
  check(whole.sdp.includes("a=candidate:"), "the offer has no candidate");
  equal(whole.headers.get("accept-language"), "gl");
  equal(whole.headers.get("authorization"), null);
  equal(whole.iceServers.flatMap(({ urls }) => urls).join(), "stun:127.0.0.1:3478");
  const usual = await offered({ token: "abc" });
  equal(usual.headers.get("authorization"), "Bearer abc");
  equal(usual.iceServers.length, 0);
};

// A server that does not reply.
const late = async () => {
  const browserFetch = globalThis.fetch;
  globalThis.fetch = (request) =>
    request.method === "POST"
      ? new Promise((_, reject) => (request.signal.onabort = () => reject(request.signal.reason)))
      : browserFetch(request);
  const begun = connect(location.origin, { deadline: 300 });
  const error = await reasonOf(begun.ready);
  check(error instanceof RtcError && error.kind === "timeout" && error.step === "5", `${error.kind} ${error.step}`);
  await nothingHeld();
};

// The module is looked for where the page says. One that does not load may load the next time.
const moved = async () => {
  const isModule = ({ name }) => name.endsWith("/hola_webrtc.wasm");
  const loaded = () => performance.getEntriesByType("resource").filter(isModule).map(({ name }) => new URL(name).pathname);
  const peers = serve();
  const astray = connect(location.origin, { resourceBase: "nowhere/" });
  const error = await reasonOf(astray.ready);
  check(error instanceof RtcError && error.kind === "module" && error.retryable, `${error}`);
  check(error.hint.includes("resourceBase") && error.cause !== undefined, error.hint);
  check(!requests.some(({ method }) => method === "POST"), "an offer has left");
  equal(await reasonOf(astray.closed), error);
  // That of another version, and one that never comes.
  const { fetch } = globalThis;
  const { timeout } = AbortSignal;
  const serveModule = (reply) =>
    (globalThis.fetch = (request, options) =>
      String(request).endsWith("hola_webrtc.wasm") ? reply(options) : fetch(request, options));
  serveModule(async () => new Response(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)));
  const other = await reasonOf(connect(location.origin).ready);
  check(other instanceof RtcError && other.kind === "module" && other.retryable, `${other}`);
  AbortSignal.timeout = () => timeout.call(AbortSignal, 50);
  serveModule(({ signal }) => new Promise((_, reject) => (signal.onabort = () => reject(signal.reason))));
  const stuck = await reasonOf(connect(location.origin).ready);
  check(stuck.kind === "module" && stuck.cause.name === "TimeoutError", `${stuck}`);
  Object.assign(AbortSignal, { timeout });
  Object.assign(globalThis, { fetch });
  const found = connect(location.origin, { resourceBase: new URL("pkg/", location.href) });
  await found.ready;
  await until(() => loaded().length === 2);
  equal(loaded().join(), "/nowhere/hola_webrtc.wasm,/pkg/hola_webrtc.wasm");
  await ends(found, peers);
};

// A package that was put up without all its files says so.
const bare = async () => {
  const other = await import("./bare/index.js");
  const peers = serve();
  const resourceBase = new URL("pkg/", location.href);
  const framed = other.connect(location.origin, { resourceBase, channel: { large: true } });
  const staying = other.connect(location.origin, { resourceBase, reconnect: true });
  for (const failed of [framed.channel.ready, staying.closed]) {
    const error = await reasonOf(failed);
    check(error instanceof other.RtcError && error.kind === "module" && error.retryable, `${error}`);
    check(error.hint.includes("files together") && error.cause instanceof TypeError, error.hint);
  }
  await ends(framed, peers);
};

export const choosing = { modes, offers, late, moved, bare };
