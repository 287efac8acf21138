// Sessions that stay, with a server made of the page's own `fetch` and peer connections.

import { RtcError } from "./pkg/index.js";
import { check, equal, reasonOf, until } from "./expect.js";
import { raws } from "./ledger.js";
import { ends, serve, session } from "./own_server.js";

const HIGH_WATER = 1 << 20;

// Who waits for room, or writes while the connection is lost, writes on over the next.
const writers = async () => {
  const peers = serve();
  const staying = await session(peers);
  const { channel } = staying;
  await channel.ready;
  const echoes = [];
  const states = new Set();
  channel.onmessage = ({ data }) => echoes.push(data);
  // Nobody takes any of this, so that there is no room until the next connection.
  peers[0].close();
  while (channel.bufferedAmount < HIGH_WATER) channel.send(new Uint8Array(60000));
  const writer = channel.writable.getWriter();
  const first = writer.write("first");
  const watch = setInterval(() => states.add(channel.state), 1);
  const opening = staying.openChannel("opening");
  const opened = opening.ready;
  let count = 0;
  while (staying.state !== "reconnecting") {
    await new Promise((later) => setTimeout(later, 1));
    if (channel.state !== "open") writer.write(`${count++}`);
  }
  await first;
  await opened;
  await writer.write("last");
  clearInterval(watch);
  check(!states.has("closed"), "a channel that comes back is closed for a time");
  check(count > 0, "nothing was written meanwhile");
  await until(() => echoes.at(-1) === "last");
  equal(echoes.filter((data) => typeof data === "string").join(), ["first", ...Array(count).keys(), "last"].join());
  equal(peers.length, 2);
  await ends(staying, peers);
};

// What is written while the channel closes under the writer goes over the next connection.
const parted = async () => {
  const peers = serve();
  const staying = await session(peers);
  const { channel } = staying;
  const echoes = [];
  channel.onmessage = ({ data }) => echoes.push(data);
  const writer = channel.writable.getWriter();
  await writer.write("before");
  await until(() => echoes.length);
  const raw = raws.find(({ label }) => label === channel.label);
  const written = new Promise((resolve) => (raw.onclosing = () => resolve(writer.write("meanwhile"))));
  peers[0].channels[0].close();
  await written;
  raw.onclosing = null;
  await writer.write("after");
  await until(() => echoes.length === 3);
  equal(echoes.join(), "before,meanwhile,after");
  equal(peers.length, 2);
  await ends(staying, peers);
};

// What a page closes stays closed, and it may do anything as something closes.
const closing = async () => {
  const peers = serve();
  const staying = await session(peers);
  const given = staying.openChannel("given up");
  await given.ready;
  peers[0].close();
  given.close();
  await until(() => peers.length === 2 && staying.state === "connected");
  await staying.channel.ready;
  await given.closed;
  equal(given.state, "closed");
  // Chromium opens a channel before the other side has heard of it.
  await until(() => peers[1].channels.length);
  equal(peers[1].channels.map(({ label }) => label).join(), "chat");

  const late = [];
  staying.channel.onclose = () => {
    late.push(staying.openChannel("late"));
    staying.close();
  };
  staying.close();
  equal((await staying.closed).by, "local");
  equal(late.map(({ state }) => state).join(), "closed");
  await ends(staying, peers);
};

// Two networks in a row: the second restart does not begin before the first is over.
const restarts = async () => {
  let under = 0;
  let most = 0;
  const peers = serve(async () => {
    most = Math.max(most, ++under);
    await new Promise((later) => setTimeout(later, 100));
    under--;
    return new Response("", { status: 404 });
  });
  const staying = await session(peers);
  const [first, second] = await Promise.all([staying.restartIce(), staying.restartIce()].map(reasonOf));
  check(first instanceof RtcError && second instanceof RtcError, `${first}, ${second}`);
  equal(most, 1);
  equal(staying.state, "connected");

  peers[0].close();
  await until(() => staying.state === "reconnecting");
  equal((await reasonOf(staying.restartIce())).name, "InvalidStateError");
  equal((await reasonOf(staying.getStats())).name, "InvalidStateError");
  await ends(staying, peers);
};

// Who tries for ever keeps no more of what happened than a page has room for.
const forgetting = async () => {
  const KEPT = 1000;
  const peers = serve();
  const staying = await session(peers, { delay: 0, maxDelay: 0 });
  const events = () => staying.exportTrace().events;
  const [first] = events();
  const slow = staying.trace[Symbol.asyncIterator]();
  equal((await slow.next()).value, first);
  globalThis.fetch = async () => new Response("", { status: 503 });
  peers[0].close();
  await until(() => events()[0] !== first);
  equal(events().length, KEPT);
  const reader = staying.trace[Symbol.asyncIterator]();
  const [oldest] = events();
  equal((await reader.next()).value, oldest);
  staying.close();
  const { at } = events().at(-1);
  let count = 1;
  let last;
  for (let step; !(step = await slow.next()).done; count++) last = step.value;
  check(count > KEPT, "a reader that is slow has missed something");
  equal(last.at, at);
  await ends(staying, peers);
};

export const staying = { writers, parted, closing, restarts, forgetting };
