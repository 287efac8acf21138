// What the page leaves, or what leaves the page, while the session goes on.

import { RtcError, SendError, connect } from "./pkg/index.js";
import { check, equal, reasonOf, until } from "./expect.js";
import { ends, serve, session } from "./own_server.js";

const echo = (channel) => new Promise((resolve) => (channel.onmessage = resolve));

// Who wants no more of the channels that come gets none, and the session ends as any other.
const unwanted = async () => {
  const peers = serve();
  const staying = await session(peers);
  peers[0].createDataChannel("first");
  for await (const channel of staying.incomingChannels) {
    equal(channel.label, "first");
    break;
  }
  const second = peers[0].createDataChannel("second");
  await until(() => second.readyState === "closed");
  equal(staying.state, "connected");
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

  const written = staying.openChannel("written");
  const other = written.writable.getWriter();
  await other.write("something");
  await echo(written);
  await other.close();
  await other.closed;
  equal(written.state, "closed");
  await ends(staying, peers);
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

// What speaks the framing is not where it should be.
const unloaded = async () => {
  const peers = serve();
  const loaded = await session(peers);
  const staying = connect(location.origin, { resourceBase: "/nowhere/", channel: { label: "files", large: true } });
  const { channel } = staying;
  const error = await reasonOf(channel.ready);
  check(error instanceof RtcError && error.kind === "module" && error.retryable, `${error}`);
  check(error.hint.includes("hola_framing.wasm") && error.message.includes("404"), `${error.message} ${error.hint}`);
  equal(await reasonOf(channel.closed), error);
  await until(() => peers[1]?.channels[0]?.readyState === "closed");
  staying.close();
  await ends(loaded, peers);
};

export const parting = { unwanted, ended, closedFirst, healing, unloaded };
