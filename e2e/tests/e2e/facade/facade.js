// What the package promises, case by case: the query names the case, #state says how it ended.

import { SendError, connect } from "./pkg/index.js";
import { aborts } from "./aborts.js";
import { choosing } from "./choosing.js";
import { check, closes, equal, nothingHeld, reasonOf, server, state, thrown, until } from "./expect.js";
import { failing } from "./failing.js";
import { buffered, listening } from "./ledger.js";
import { network } from "./network.js";
import { parting } from "./parting.js";
import { staying } from "./staying.js";

const BLOCKS = 2000;
const BLOCK = 16384;
const HIGH_WATER = 1 << 20;
// The server's limit by default.
const LIMIT = 65536;

const nextMessage = (channel) =>
  new Promise((resolve) => channel.addEventListener("message", ({ data }) => resolve(data), { once: true }));
const bytesOf = (data) => [...new Uint8Array(data)].join();

const messages = async () => {
  const session = connect(server, { channel: { label: "echo" } });
  const states = [];
  session.onstatechange = () => states.push(session.state);
  equal(session.state, "connecting");
  equal(session.id, undefined);
  equal(thrown(() => session.channel.send("early")).kind, "not-open");
  equal(await session.ready, undefined);
  equal(session.state, "connected");
  check(/^[\w-]+$/.test(session.id), `the id is ${session.id}`);
  check(listening() > 0, "no listener was counted");
  const { channel } = session;
  equal(`${channel.label} ${channel.state} ${channel.ordered} ${channel.protocol}`, "echo open true ");
  equal(channel.maxMessageSize, LIMIT);
  const received = [];
  channel.onmessage = ({ data }) => received.push(data);
  const bytes = Uint8Array.of(0, 1, 2, 253, 254, 255);
  const views = [bytes.subarray(2, 5), new DataView(bytes.buffer, 1, 2)];
  for (const data of ["", "ñandú 🦤", bytes.buffer, ...views, new ArrayBuffer(0)]) channel.send(data);
  await until(() => received.length === 6);
  equal(received.slice(0, 2).join("|"), "|ñandú 🦤");
  check(received.slice(2).every((data) => data instanceof ArrayBuffer), "binary messages are no array buffers");
  equal(received.slice(2).map(bytesOf).join("|"), "0,1,2,253,254,255|2,253,254|1,2|");
  check(thrown(() => channel.send(5)) instanceof TypeError, "a number was sent");
  equal(states.join(), "connected");
  session.close({ code: 7, reason: "enough" });
  equal(JSON.stringify(await session.closed), '{"by":"local","code":7,"reason":"enough"}');
  await channel.closed;
  equal(thrown(() => channel.send("late")).kind, "not-open");
  session.close();
  await until(() => states.join() === "connected,closed");
  await closes(session);
};

const streams = async () => {
  const session = connect(server, { channel: { label: "echo" } });
  const writer = session.channel.writable.getWriter();
  const reader = session.channel.readable.getReader();
  const send = async () => {
    for (let number = 0; number < BLOCKS; number++) {
      const block = new Uint32Array(BLOCK / 4).fill(number);
      await writer.write(block);
    }
  };
  const receive = async () => {
    for (let number = 0; number < BLOCKS; number++) {
      const block = new Uint32Array((await reader.read()).value);
      const isRight = block.length === BLOCK / 4 && block.every((word) => word === number);
      check(isRight, `block ${number} is ${block.length} words of ${block[0]}`);
    }
  };
  await Promise.all([send(), receive()]);
  check(buffered.highest > 0 && buffered.highest < HIGH_WATER + BLOCK, `${buffered.highest} bytes waited`);
  await writer.close();
  equal((await reader.read()).done, true);
  equal(session.channel.state, "closed");
  await closes(session);
};

const refusals = async () => {
  const session = connect(server, { channel: { label: "echo" } });
  const { channel } = session;
  await channel.ready;
  for (const [data, size] of [
    [new ArrayBuffer(LIMIT + 1), LIMIT + 1],
    ["ñ".repeat(40_000), 80_000],
  ]) {
    const error = thrown(() => channel.send(data));
    check(error instanceof SendError && error.name === "SendError" && error.kind === "too-large", `${error}`);
    check(error.message.includes(size) && error.message.includes(LIMIT), error.message);
  }
  let sent = 0;
  const sendAll = () => {
    for (; sent < 1000; sent++) channel.send(new ArrayBuffer(LIMIT));
  };
  equal(thrown(sendAll).kind, "full");
  check(buffered.highest < HIGH_WATER + LIMIT, `${buffered.highest} bytes waited`);
  let received = 0;
  channel.onmessage = () => received++;
  await until(() => received === sent);
  await closes(session);

  const [abort, options] = [new AbortController(), { channel: { large: true, ordered: false }, reconnect: true }];
  const misfits = [{ gate: 5 }, { gathering: "some" }, { deadline: -1 }, { token: "ñ" }, { iceServers: {} }];
  for (const wrong of [options, ...misfits]) {
    const error = thrown(() => connect(server, { ...wrong, signal: abort.signal }));
    check(error instanceof TypeError, `${JSON.stringify(wrong)}: ${error}`);
  }
  await nothingHeld();
};

// Who has filled a channel is told once that there is room, and then there is.
const drains = async () => {
  const session = connect(server, { channel: { label: "echo" } });
  for (const [options, size] of [[{}, LIMIT], [{ large: true }, 3 << 20]]) {
    const channel = session.openChannel("drained", options);
    await channel.ready;
    const left = [];
    channel.onbufferedamountlow = () => left.push(channel.bufferedAmount);
    let [sent, received] = [0, 0];
    channel.onmessage = ({ data }) => (received += data.byteLength);
    for (; channel.bufferedAmount < HIGH_WATER; sent += size) channel.send(new ArrayBuffer(size));
    await until(() => received === sent && left.length);
    check(left.length === 1 && left[0] <= HIGH_WATER / 4, `${left} bytes waited when it was told`);
  }
  await closes(session);
};

const two = async () => {
  const sessions = ["a", "b"].map((label) => connect(server, { channel: { label } }));
  await Promise.all(sessions.map(({ ready }) => ready));
  const [first, second] = sessions;
  check(first.id !== second.id, "two sessions have one id");
  const received = sessions.map(({ channel }) => {
    const own = [];
    channel.onmessage = ({ data }) => own.push(data);
    return own;
  });
  for (let number = 0; number < 100; number++) {
    for (const { channel } of sessions) channel.send(`${channel.label}${number}`);
  }
  await until(() => received.every(({ length }) => length === 100));
  sessions.forEach(({ channel }, index) =>
    check(received[index].every((data, number) => data === `${channel.label}${number}`), `${channel.label} has another's`),
  );
  first.close();
  await first.closed;
  const echo = nextMessage(second.channel);
  second.channel.send("still here");
  equal(await echo, "still here");
  equal(second.state, "connected");
  await closes(second);
};

const traces = async () => {
  const session = connect(server);
  const read = async () => {
    const events = [];
    for await (const event of session.trace) events.push(event);
    return events;
  };
  const early = read();
  await session.ready;
  const late = read();
  let stats;
  // Browsers keep a report for a while.
  await until(async () => (stats = await session.getStats()).bytesSent > 0 && stats.bytesReceived > 0);
  check([stats.messagesSent, stats.messagesReceived].every(Number.isInteger), "messages are not counted");
  check(stats.pair.remote.port > 0 && stats.report instanceof RTCStatsReport, "the pair is not told");
  await until(() => session.exportTrace().events.some(({ event }) => event === "candidate-pair"));
  session.close();
  const [one, other] = await Promise.all([early, late]);
  const exported = session.exportTrace();
  equal(JSON.stringify(one), JSON.stringify(other));
  equal(JSON.stringify(one), JSON.stringify(exported.events));
  equal(JSON.stringify(await read()), JSON.stringify(one));
  equal(Object.keys(exported).join(), "version,startedAt,userAgent,events");
  equal(exported.version, 1);
  equal(exported.userAgent, navigator.userAgent);
  equal(new Date(exported.startedAt).toISOString(), exported.startedAt);
  check(one.every(({ step, side, at, event }) => step && side && at >= 0 && event), "an event is not whole");
  const done = new Set(one.filter(({ event }) => event === "done").map(({ step }) => step));
  check(["1", "2", "3", "4", "5", "7", "8a", "8b", "8c", "8d"].every((step) => done.has(step)), `done: ${[...done]}`);
  equal(one.at(-1).event, "closed");
  equal((await reasonOf(session.getStats())).name, "InvalidStateError");
  await closes(session);
};

const channels = async () => {
  const session = connect(server);
  const early = session.openChannel("early", { protocol: "chess", ordered: false });
  equal(early.state, "connecting");
  const given = session.openChannel("given up");
  given.close();
  equal(`${given.state} ${(await reasonOf(given.ready)).kind}`, "closed not-open");
  await early.ready;
  equal(`${early.label} ${early.protocol} ${early.ordered} ${early.state}`, "early chess false open");
  const late = session.openChannel("late");
  await late.ready;
  check(new Set([session.channel.id, early.id, late.id]).size === 3, "channels share a stream");
  const echo = nextMessage(late);
  late.send("hello");
  equal(await echo, "hello");
  early.close();
  await early.closed;
  equal(session.state, "connected");
  const incoming = session.incomingChannels.getReader().read();
  session.close();
  equal((await incoming).done, true);
  await late.closed;
  equal(session.openChannel("too late").state, "closed");
  await closes(session);
};

const cases = {
  messages,
  streams,
  aborts,
  refusals,
  drains,
  two,
  traces,
  channels,
  ...staying,
  ...network,
  ...parting,
  ...choosing,
  ...failing,
};
try {
  await cases[location.search.slice(1)]();
  equal([...window.violations, ...window.faults].join(), "");
  state.textContent = "done";
} catch (error) {
  state.textContent = `failed: ${error?.message ?? error} ${error?.stack}`;
}
