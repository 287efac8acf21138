// One connection after another, of each kind there is, as many as a click asks for: #state says how many are over.

import "./counts.js";
import { connect } from "./pkg/index.js";

const server = "https://localhost:8443";
const ROUND = 25;

const echoed = (channel, text) =>
  new Promise((resolve) => {
    channel.onmessage = ({ data }) => data === text && resolve();
    channel.send(text);
  });

const closed = async () => {
  const session = connect(server, { channel: { label: "echo" } });
  await session.ready;
  await echoed(session.channel, "hello");
  await session.getStats();
  session.close();
  await session.closed;
};

const withChannels = async () => {
  const session = connect(server);
  const others = ["one", "two"].map((label) => session.openChannel(label));
  for (const channel of others) {
    await channel.ready;
    await echoed(channel, channel.label);
  }
  others[0].close();
  await others[0].closed;
  await session.restartIce();
  session.close();
  await session.closed;
};

const large = async () => {
  const session = connect(server, { channel: { label: "files", large: true } });
  const { channel } = session;
  await channel.ready;
  const incoming = channel.incomingLarge.getReader();
  const back = incoming.read().then(({ value }) => new Response(value.stream).arrayBuffer());
  await Promise.all([channel.sendLarge(new Uint8Array(100_000)), back]);
  session.close();
  await session.closed;
};

const endedByServer = async () => {
  const session = connect(server);
  await session.ready;
  await fetch(`${server}/sessions/${session.id}`, { method: "DELETE" });
  await session.closed;
};

const givenUp = async () => {
  const abort = new AbortController();
  const gate = (step) => step === "8b" && abort.abort();
  await connect(server, { signal: abort.signal, gate }).closed.catch(() => {});
};

const kinds = [closed, withChannels, large, endedByServer, givenUp];
const state = document.querySelector("#state");
let over = 0;

document.querySelector("#next").addEventListener("click", async () => {
  try {
    for (let number = 0; number < ROUND; number++) await kinds[number % kinds.length]();
    over += ROUND;
    state.textContent = `${over}`;
  } catch (error) {
    state.textContent = `failed: ${error}`;
  }
});
