// Large transfers that come to nothing: whoever waits is told, and their places are free again.

import { connect } from "./pkg/index.js";
import { check, equal, reasonOf, server } from "./expect.js";

// More than the server takes at a time.
const TIMES = 6;

const opened = async () => {
  const session = connect(server, { channel: { label: "echo", large: true } });
  await session.channel.ready;
  const { channel } = session;
  return { session, channel, incoming: channel.incomingLarge.getReader() };
};

// A transfer comes back under its name, the next that does.
const goesOn = async ({ session, channel, incoming }, name) => {
  const sending = channel.sendLarge(Uint8Array.of(1, 2, 3), { name });
  const { value } = await incoming.read();
  equal(value.name, name);
  equal([...new Uint8Array(await new Response(value.stream).arrayBuffer())].join(), "1,2,3");
  await sending;
  session.close();
};

/** Of a stream from which nothing comes. */
export const stalled = async () => {
  const page = await opened();
  const { channel, incoming } = page;
  const stalling = () => {
    const source = {};
    source.stream = new ReadableStream({
      start: (controller) => (source.enqueue = (...bytes) => controller.enqueue(Uint8Array.of(...bytes))),
      cancel: (reason) => (source.reason = reason),
    });
    return source;
  };
  for (let number = 0; number < TIMES; number++) {
    const abort = new AbortController();
    const source = stalling();
    source.enqueue(number);
    const sending = channel.sendLarge(source.stream, { signal: abort.signal });
    const { value } = await incoming.read();
    const reader = value.stream.getReader();
    equal((await reader.read()).value[0], number);
    const reason = new Error(`enough of ${number}`);
    abort.abort(reason);
    equal(await reasonOf(sending), reason);
    equal(source.reason, reason);
    equal((await reasonOf(reader.read())).kind, "given-up");
  }
  const source = stalling();
  const sending = channel.sendLarge(source.stream);
  (await incoming.read()).value.cancel("no room");
  // The echo finds out with the next piece, the last that comes.
  source.enqueue(1);
  const refused = await reasonOf(sending);
  check(refused.kind === "given-up" && refused.message.includes("no room"), `${refused}`);
  equal(source.reason, refused);
  await goesOn(page, "after those that stalled");
};

/** Before there is a connection. */
export const early = async () => {
  const never = new Promise(() => {});
  const session = connect(server, { channel: { label: "echo", large: true }, gate: () => never });
  const { channel } = session;
  const abort = new AbortController();
  const source = {};
  const stream = new ReadableStream({ cancel: (reason) => (source.reason = reason) });
  const sending = [
    channel.sendLarge(stream, { signal: abort.signal }),
    channel.sendLarge(Uint8Array.of(1), { signal: abort.signal }),
  ];
  const other = reasonOf(channel.sendLarge(Uint8Array.of(2)));
  // What speaks the framing is loaded meanwhile.
  await new Promise((later) => setTimeout(later, 500));
  const reason = new Error("enough");
  abort.abort(reason);
  for (const promise of sending) equal(await reasonOf(promise), reason);
  equal(source.reason, reason);
  session.close();
  equal((await other).kind, "not-open");
  await goesOn(await opened(), "after those that were early");
};

/** By the reader, while it waits. */
export const cancelledWithin = async () => {
  const page = await opened();
  page.channel.sendLarge(new ReadableStream()).catch(() => {});
  const { value } = await page.incoming.read();
  const reader = value.stream.getReader();
  const reads = [reader.read(), value.done];
  value.cancel();
  for (const promise of [...reads, reader.read()]) equal((await reasonOf(promise)).kind, "given-up");
  value.cancel("again");
  await goesOn(page, "after one that was cancelled");
};

/** Of what cannot be sent. */
export const unfit = async () => {
  const page = await opened();
  const { channel, incoming } = page;
  for (const data of ["text", 5, null, {}, ["a"]]) {
    const error = await reasonOf(channel.sendLarge(data));
    check(error instanceof TypeError, `${data}: ${error}`);
  }
  const locked = new ReadableStream();
  locked.getReader();
  for (let number = 0; number < TIMES; number++) {
    check((await reasonOf(channel.sendLarge(locked))) instanceof TypeError, "a locked stream was sent");
  }
  let source;
  let reason;
  const strings = new ReadableStream({
    start: (controller) => (source = controller),
    cancel: (why) => (reason = why),
  });
  const sending = reasonOf(channel.sendLarge(strings, { name: "strings" }));
  const { value } = await incoming.read();
  equal(value.name, "strings");
  source.enqueue("text");
  const error = await sending;
  check(error instanceof TypeError && reason === error, `${error}, and the stream: ${reason}`);
  equal((await reasonOf(value.stream.getReader().read())).kind, "given-up");
  await goesOn(page, "after what is unfit");
};

/** All that come, by a page that takes none any more. */
export const takingNone = async () => {
  const { session, channel, incoming } = await opened();
  const reading = incoming.read();
  await incoming.cancel();
  equal((await reading).done, true);
  for (let number = 0; number < TIMES; number++) {
    equal((await reasonOf(channel.sendLarge(new Uint8Array(4 << 20)))).kind, "given-up");
  }
  session.close();
};
