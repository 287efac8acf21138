// Messages of channels that speak the framing, and pages that read them slowly, late or not at all.

import { connect } from "./pkg/index.js";
import { check, equal, reasonOf, server, until } from "./expect.js";

const COUNT = 100;
const MESSAGE = 65536;
// More than may come unread.
const MANY = 64;

const opened = async (options) => {
  const session = connect(server, { channel: { label: "echo", ...options } });
  await session.channel.ready;
  return session;
};

const received = async (session) => (await session.getStats()).messagesReceived;

// Each in its order, then the end.
const readsAll = async (reader) => {
  for (let number = 0; number < COUNT; number++) equal((await reader.read()).value, `${number}`);
  equal((await reader.read()).done, true);
};

/** The other side, which sends a hundred messages and ends the channel, before the page reads. */
export const endedThere = async () => {
  for (const mode of [{ large: true }, { resumable: true }]) {
    const session = connect(server, { channel: { label: "hundred", ...mode } });
    const reader = session.channel.readable.getReader();
    await session.channel.closed;
    await readsAll(reader);
    session.close();
  }
};

/** The page ends the session, and reads then. */
export const endedHere = async () => {
  const session = await opened({ large: true });
  const reader = session.channel.readable.getReader();
  for (let number = 0; number < COUNT; number++) session.channel.send(`${number}`);
  // Each is one of the data channel, after the server's hello.
  await until(async () => (await received(session)) > COUNT);
  session.close();
  await readsAll(reader);
};

/** Messages that nobody wants do not stop the other side. */
export const unwanted = async () => {
  const session = await opened({ large: true });
  const { channel } = session;
  await channel.readable.cancel();
  const writer = channel.writable.getWriter();
  for (let number = 0; number < MANY; number++) await writer.write(new Uint8Array(MESSAGE));
  await writer.close();
  session.close();
};

/** Messages for which nobody has asked yet stop it, and nothing beside them. */
export const unasked = async () => {
  const session = await opened({ large: true });
  const { channel } = session;
  const incoming = channel.incomingLarge.getReader();
  const writer = channel.writable.getWriter();
  const writing = (async () => {
    for (let number = 0; number < MANY; number++) await writer.write(new Uint8Array(MESSAGE));
  })();
  const data = new Uint8Array(MANY * MESSAGE);
  const sending = channel.sendLarge(data);
  const { value } = await incoming.read();
  equal((await new Response(value.stream).arrayBuffer()).byteLength, data.length);
  await sending;
  // The transfer, as much of the messages as may come unread, and little besides.
  const of = [...(await session.getStats()).report.values()].find(({ type }) => type === "data-channel");
  check(of.bytesReceived < data.length + (1 << 20) + MESSAGE, `${of.bytesReceived} bytes came`);
  let count = 0;
  channel.onmessage = ({ data }) => (count += data.byteLength);
  await until(() => count === MANY * MESSAGE);
  await writing;
  session.close();
};

/** A channel that the other side opens, the first of the page's that speaks the framing. */
export const openedThere = async () => {
  const session = connect(server, { channel: { label: "call me" } });
  const { value: channel } = await session.incomingChannels.getReader().read();
  let opens = 0;
  channel.onopen = () => opens++;
  const reader = channel.readable.getReader();
  equal((await reader.read()).value, "it is me");
  const long = "ñ".repeat(MESSAGE);
  channel.send(long);
  equal((await reader.read()).value, long);
  equal(`${channel.label} ${channel.protocol} ${channel.state} ${opens}`, "the server's chess open 1");
  session.close();
};

/** A stream that is asked for after the failure. */
export const failedBefore = async () => {
  const reason = new Error("changed my mind");
  for (const options of [{}, { large: true }]) {
    const { channel } = connect(server, { channel: options, signal: AbortSignal.abort(reason) });
    equal(await reasonOf(channel.closed), reason);
    equal(await reasonOf(channel.readable.getReader().read()), reason);
  }
};

/** Texts that begin with a byte order mark. */
export const marked = async () => {
  const session = await opened({ resumable: true });
  const { channel } = session;
  const reader = channel.readable.getReader();
  for (const text of ["\uFEFFmarked", "\uFEFF"]) {
    channel.send(text);
    equal(JSON.stringify((await reader.read()).value), JSON.stringify(text));
  }
  const undelivered = [];
  channel.onundelivered = ({ messages }) => undelivered.push(...messages);
  channel.send("\uFEFFunsent");
  session.close();
  equal(undelivered.map(({ data }) => JSON.stringify(data)).join(), JSON.stringify("\uFEFFunsent"));
};

/** The largest message is told once it is known. */
export const limitKnown = async () => {
  // The first loads what speaks the framing, which is there before the second one's connection.
  (await opened({ large: true })).close();
  const session = connect(server, { channel: { label: "echo", large: true } });
  const { channel } = session;
  const told = [];
  await until(() => {
    if (channel.state !== "connecting") return true;
    told.push(channel.maxMessageSize);
    return false;
  });
  check(told.length && told.every((size) => size === undefined), `it is ${told}`);
  check(channel.maxMessageSize > MESSAGE, `it is ${channel.maxMessageSize} then`);
  session.close();
};
