// What the page leaves, or what leaves the page, while the session goes on.

import { RtcError, SendError, connect } from "./pkg/index.js";
import { check, equal, reasonOf, thrown, until } from "./expect.js";
import { connections, raws } from "./ledger.js";
import { ends, serve, session } from "./own_server.js";

const HIGH_WATER = 1 << 20;

const echo = (channel) => new Promise((resolve) => (channel.onmessage = resolve));

// Who wants no more of the channels that come gets none, and the session ends as any other.
const unwanted = async () => {
  const peers = serve();
  const staying = await session(peers);
  const arrived = [];
  connections.find((peer) => !peers.includes(peer)).ondatachannel = ({ channel }) => arrived.push(channel.label);
  const [taken, unread] = ["taken", "unread"].map((label) => peers[0].createDataChannel(label));
  // That they are open on the other side does not say that they are here.
  await until(() => arrived.length === 2 && [taken, unread].every(({ readyState }) => readyState === "open"));
  for await (const channel of staying.incomingChannels) {
    equal(channel.label, "taken");
    break;
  }
  // Nobody has read the second one, and the third comes when nobody wants it.
  await until(() => unread.readyState === "closed");
  const late = peers[0].createDataChannel("late");
  await until(() => late.readyState === "closed");
  equal(`${taken.readyState} ${staying.state}`, "open connected");
  staying.close();
  equal((await staying.closed).by, "local");
  await staying.channel.closed;
  await ends(staying, peers);
};

// A writer learns that its channel has ended, though it writes nothing.
const ended = async () => {
  const peers = serve();
  const staying = await session(peers);
  const channel = staying.openChannel("ended");
  const writer = channel.writable.getWriter();
  await writer.write("something");
  await echo(channel);
  peers[0].channels[1].close();
  const error = await reasonOf(writer.closed);
  check(error instanceof SendError && error.kind === "not-open", `${error}`);
  equal(await reasonOf(writer.write("more")), error);
  const unwritten = staying.openChannel("unwritten");
  await unwritten.ready;
  unwritten.close();
  await unwritten.closed;
  equal((await reasonOf(unwritten.writable.getWriter().closed)).kind, "not-open");

  const written = staying.openChannel("written");
  const other = written.writable.getWriter();
  await other.write("something");
  await echo(written);
  await other.close();
  await other.closed;
  equal(written.state, "closed");
  await ends(staying, peers);
};

// A write that waits, for room or for a connection, does not hold up who gives it up.
const abandoned = async () => {
  const peers = serve();
  const staying = await session(peers);
  const [full, away] = ["full", "away"].map((label) => staying.openChannel(label));
  const giveUp = async (channel) => {
    const writer = channel.writable.getWriter();
    const written = reasonOf(writer.write("late"));
    // By then it waits.
    await new Promise((later) => setTimeout(later));
    await writer.abort("enough");
    equal(await written, "enough");
    equal(await reasonOf(writer.closed), "enough");
  };
  await full.ready;
  await away.ready;
  globalThis.fetch = async () => new Response("", { status: 503 });
  // Nobody takes any of this.
  peers[0].close();
  while (full.bufferedAmount < HIGH_WATER) full.send(new Uint8Array(60000));
  await giveUp(full);
  await full.closed;
  await until(() => staying.state === "reconnecting");
  await giveUp(away);
  await away.closed;
  await ends(staying, peers);
};

// An ICE restart that is under way as the connection is closed comes to an end.
const cutOff = async () => {
  const peers = serve();
  const staying = await session(peers);
  const { setLocalDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setLocalDescription = function (...description) {
    RTCPeerConnection.prototype.setLocalDescription = setLocalDescription;
    queueMicrotask(() => staying.close());
    return setLocalDescription.apply(this, description);
  };
  const error = await reasonOf(staying.restartIce());
  equal(error.name, "InvalidStateError");
  await ends(staying, peers);
};

// What a loss took of a plain channel is told in messages, of which no more waited than there was room for.
const counted = async () => {
  const SIZE = 60000;
  for (const message of [new Uint8Array(SIZE), "€".repeat(SIZE / 3)]) {
    const peers = serve();
    const staying = await session(peers);
    const { channel } = staying;
    const quiet = staying.openChannel("quiet");
    await quiet.ready;
    const raw = raws.findLast(({ label }) => label === channel.label);
    const lost = {};
    channel.onlost = ({ count }) => Object.assign(lost, { count, waited: Math.ceil(raw.bufferedAmount / SIZE) });
    quiet.onlost = ({ count }) => (lost.quiet = count);
    // These arrive.
    let echoes = 0;
    channel.onmessage = () => echoes++;
    for (let number = 0; number < 10; number++) channel.send(message);
    await until(() => echoes === 10);
    peers[0].close();
    const fill = () => {
      for (;;) channel.send(message);
    };
    equal(thrown(fill).kind, "full");
    check(channel.bufferedAmount < HIGH_WATER + SIZE, `${channel.bufferedAmount} bytes wait`);
    await until(() => lost.waited !== undefined && lost.quiet !== undefined);
    equal(lost.count, lost.waited);
    check(lost.count > 1, `${lost.count} were lost`);
    equal(lost.quiet, 0);
    await ends(staying, peers);
  }
};

// The first channel, once the page has closed it, does not come back with the next connection.
const closedFirst = async () => {
  const peers = serve();
  const staying = await session(peers);
  const { channel } = staying;
  const other = staying.openChannel("other");
  await other.ready;
  channel.close();
  await channel.closed;
  const late = [];
  for (const type of ["open", "message", "close"]) channel.addEventListener(type, () => late.push(type));
  const { id } = channel;
  peers[0].close();
  await until(() => peers.length === 2 && staying.state === "connected");
  await other.ready;
  const chat = () => peers[1].channels.find(({ label }) => label === "chat");
  await until(() => chat()?.readyState === "closed");
  equal(`${late} ${channel.state} ${channel.id}`, ` closed ${id}`);
  await ends(staying, peers);
};

// Nor if the page closes it while an attempt is under way.
const closedBetween = async () => {
  let asked = 0;
  const peers = serve(undefined, () => ++asked === 2 && staying.channel.close());
  const staying = await session(peers);
  const { channel } = staying;
  const other = staying.openChannel("other");
  await other.ready;
  const late = [];
  for (const type of ["open", "close"]) channel.addEventListener(type, () => late.push(type));
  peers[0].close();
  await until(() => staying.state === "reconnecting");
  await other.ready;
  await until(() => staying.state === "connected");
  await channel.closed;
  equal(`${late} ${channel.state} ${other.state}`, "close closed open");
  await ends(staying, peers);
};

// Who has closed all channels wants no other connection.
const alone = async () => {
  const peers = serve();
  const staying = await session(peers);
  staying.channel.close();
  await staying.channel.closed;
  peers[0].close();
  equal((await staying.closed).by, "remote");
  equal(peers.length, 1);
  await ends(staying, peers);
};

// Whoever closes the session as it begins to connect again is not kept waiting.
const left = async () => {
  const peers = serve();
  const staying = await session(peers, { delay: 600000, maxDelay: 600000 });
  staying.channel.onlost = () => staying.close();
  peers[0].close();
  equal((await staying.closed).by, "local");
  await ends(staying, peers);
  equal(staying.exportTrace().events.filter(({ event }) => event === "attempt").length, 0);
};

// As long as nothing comes one new path is looked for, however many changes that itself brings about.
const healing = async () => {
  let { prototype } = RTCPeerConnection;
  while (!Object.hasOwn(prototype, "iceConnectionState")) prototype = Object.getPrototypeOf(prototype);
  const real = Object.getOwnPropertyDescriptor(prototype, "iceConnectionState");
  let patches = 0;
  const peers = serve(async () => {
    patches++;
    return new Response("", { status: 404 });
  });
  let ours;
  let isDisconnected = false;
  Object.defineProperty(prototype, "iceConnectionState", {
    ...real,
    get() {
      if (peers.includes(this)) return real.get.call(this);
      ours = this;
      return isDisconnected ? "disconnected" : real.get.call(this);
    },
  });
  const staying = await session(peers);
  const states = [];
  staying.onstatechange = () => states.push(staying.state);
  const tell = (now) => {
    isDisconnected = now;
    for (const name of ["iceconnectionstatechange", "connectionstatechange"]) ours.dispatchEvent(new Event(name));
  };
  // Long enough for a restart to fail, and for what follows from that.
  const pause = () => new Promise((later) => setTimeout(later, 500));
  for (const times of [1, 2]) {
    tell(true);
    await pause();
    equal(patches, times);
    equal(staying.state, "disconnected");
    tell(false);
    await pause();
    equal(staying.state, "connected");
  }
  dispatchEvent(new Event("online"));
  await pause();
  equal(patches, 3);
  equal(states.join(), "disconnected,connected,disconnected,connected");
  Object.defineProperty(prototype, "iceConnectionState", real);
  await ends(staying, peers);
};

// A channel that is closed before it is open is closed here and there.
const early = async () => {
  const peers = serve();
  const staying = await session(peers);
  const pauses = [undefined, Promise.resolve(), new Promise((later) => setTimeout(later))];
  for (const pause of pauses) {
    const given = staying.openChannel("early");
    const raw = raws.at(-1);
    if (pause) await pause;
    given.close();
    await given.closed;
    await until(() => raw.readyState === "closed");
  }
  await until(() => peers[0].channels.every(({ label, readyState }) => label !== "early" || readyState === "closed"));
  await ends(staying, peers);
};

// What speaks the framing is not where it should be.
const unloaded = async () => {
  const peers = serve();
  const loaded = await session(peers);
  const staying = connect(location.origin, { resourceBase: "/nowhere/", channel: { label: "files", large: true } });
  const { channel } = staying;
  const error = await reasonOf(channel.ready);
  check(error instanceof RtcError && error.kind === "module" && error.retryable, `${error}`);
  check(error.hint.includes("resourceBase") && /404.*hola_framing.wasm/.test(error.message), `${error.message} ${error.hint}`);
  equal(await reasonOf(channel.closed), error);
  await until(() => peers[1]?.channels[0]?.readyState === "closed");
  // Sooner than the channel opens.
  globalThis.fetch = () => Promise.reject(new TypeError("not now"));
  const more = await reasonOf(staying.openChannel("more", { large: true }).ready);
  check(more.kind === "module" && more.message.includes("not now"), `${more}`);
  await until(() => raws.find(({ label }) => label === "more").readyState === "closed");
  staying.close();
  await ends(loaded, peers);
};

export const parting = {
  unwanted,
  ended,
  abandoned,
  cutOff,
  counted,
  closedFirst,
  closedBetween,
  alone,
  left,
  early,
  healing,
  unloaded,
};
