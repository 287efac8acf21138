// What a session that stays makes of the news of the network, and where what decides is not there.

import { RtcError, connect } from "./pkg/index.js";
import { check, equal, reasonOf, until } from "./expect.js";
import { ends, serve, session } from "./own_server.js";

const LONG = 600000;
const pause = (time) => new Promise((later) => setTimeout(later, time));
// The waits between attempts are as long as they may be.
const wait = () => (Math.random = () => 1);

const lost = async (staying, peers) => {
  peers.at(-1).close();
  await until(() => staying.state === "reconnecting");
};
const attempts = (staying) => staying.exportTrace().events.filter(({ event }) => event === "attempt").length;

// Offline the longest wait is waited; the attempt that is due comes as soon as the page is online again.
const offline = async () => {
  wait();
  const peers = serve();
  const staying = await session(peers, { delay: 300, maxDelay: LONG });
  await lost(staying, peers);
  dispatchEvent(new Event("offline"));
  await pause(600);
  equal(`${staying.state} ${peers.length} ${attempts(staying)}`, "reconnecting 1 1");
  dispatchEvent(new Event("online"));
  await until(() => staying.state === "connected");
  await staying.channel.ready;
  equal(`${peers.length} ${attempts(staying)}`, "2 1");
  await ends(staying, peers);
};

// Whoever waits long does not wait any more on another network.
const moving = async () => {
  wait();
  const network = Object.assign(new EventTarget(), { type: "wifi" });
  Object.defineProperty(navigator, "connection", { configurable: true, value: network });
  const peers = serve();
  const staying = await session(peers, { delay: LONG, maxDelay: LONG });
  await lost(staying, peers);
  // Its speed is another one.
  network.dispatchEvent(new Event("change"));
  await pause(300);
  equal(`${staying.state} ${peers.length}`, "reconnecting 1");
  network.type = "cellular";
  network.dispatchEvent(new Event("change"));
  await until(() => staying.state === "connected");
  equal(peers.length, 2);
  await lost(staying, peers);
  dispatchEvent(new Event("online"));
  await until(() => staying.state === "connected");
  equal(`${peers.length} ${attempts(staying)}`, "3 2");
  await ends(staying, peers);
};

// An attempt that waits on a network that is gone is left for one on the next.
const stuck = async () => {
  const peers = serve();
  const staying = await session(peers);
  const { fetch } = globalThis;
  const given = [];
  globalThis.fetch = (request) =>
    request.method === "POST"
      ? new Promise((_, reject) => given.push(request) && (request.signal.onabort = () => reject(request.signal.reason)))
      : fetch(request);
  await lost(staying, peers);
  await until(() => given.length === 1);
  dispatchEvent(new Event("online"));
  await until(() => given.length === 2);
  check(given[0].signal.aborted && !given[1].signal.aborted, "the first one goes on");
  Object.assign(globalThis, { fetch });
  dispatchEvent(new Event("online"));
  await until(() => staying.state === "connected");
  await staying.channel.ready;
  equal(`${peers.length} ${attempts(staying)}`, "2 1");
  await ends(staying, peers);
};

// Networks that change while a path is looked for are looked for once more, and not once each.
const repeated = async () => {
  let patches = 0;
  const peers = serve(async () => {
    patches++;
    await pause(100);
    return new Response("", { status: 404 });
  });
  const staying = await session(peers);
  for (let times = 0; times < 3; times++) dispatchEvent(new Event("online"));
  await until(() => patches === 2);
  await pause(500);
  equal(`${patches} ${staying.state}`, "2 connected");
  await ends(staying, peers);
};

// What decides is not where it should be.
const undecided = async () => {
  const peers = serve();
  const other = connect(location.origin);
  await other.ready;
  const staying = connect(location.origin, { resourceBase: "/nowhere/", reconnect: true });
  const error = await reasonOf(staying.closed);
  check(error instanceof RtcError && error.kind === "module" && error.retryable, `${error}`);
  check(error.hint.includes("resourceBase") && /404.*hola_reconnect.wasm/.test(error.message), `${error.message} ${error.hint}`);
  equal(await reasonOf(staying.channel.closed), error);
  other.close();
  // The next one finds it.
  const count = peers.length;
  const found = connect(location.origin, { reconnect: { delay: 0 } });
  await found.ready;
  await lost(found, peers);
  await until(() => found.state === "connected");
  equal(peers.length, count + 2);
  await ends(found, peers);
};

// What decides comes once this is called.
const holdBack = () => {
  const browserFetch = globalThis.fetch;
  let arrives;
  const arrival = new Promise((resolve) => (arrives = resolve));
  globalThis.fetch = async (request) => {
    if (`${request.url ?? request}`.includes("hola_reconnect")) await arrival;
    return browserFetch(request);
  };
  return arrives;
};

// Nobody waits for what decides, and nothing is forgotten until it is there.
const undecidedYet = async () => {
  const peers = serve();
  const arrives = holdBack();
  const staying = await session(peers);
  await lost(staying, peers);
  await pause(500);
  equal(`${staying.state} ${staying.channel.state} ${peers.length}`, "reconnecting connecting 1");
  arrives();
  await until(() => staying.state === "connected");
  await staying.channel.ready;
  equal(peers.length, 2);
  await ends(staying, peers);
};

// Nor that the page went offline meanwhile.
const offlineYet = async () => {
  wait();
  const peers = serve();
  const arrives = holdBack();
  const staying = await session(peers, { delay: 300, maxDelay: LONG });
  Object.defineProperty(navigator, "onLine", { configurable: true, value: false });
  await lost(staying, peers);
  arrives();
  await until(() => attempts(staying) === 1);
  await pause(600);
  equal(`${staying.state} ${peers.length}`, "reconnecting 1");
  dispatchEvent(new Event("online"));
  await until(() => staying.state === "connected");
  equal(`${peers.length} ${attempts(staying)}`, "2 1");
  await ends(staying, peers);
};

// An end that leaves nothing to decide waits for nobody who would.
const nothingToDecide = async () => {
  const peers = serve();
  const arrives = holdBack();
  const staying = await session(peers);
  staying.channel.close();
  await staying.channel.closed;
  peers[0].close();
  equal((await staying.closed).by, "remote");
  equal(staying.state, "closed");
  arrives();
  await ends(staying, peers);
  equal(peers.length, 1);
};

export const network = { offline, moving, stuck, repeated, undecided, undecidedYet, offlineYet, nothingToDecide };
