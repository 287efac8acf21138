// Large transfers, and a channel that is resumed: says in #state how far it has come, or what went wrong.

import { connect } from "./pkg/index.js";
import { check, server, state, until } from "./expect.js";
import * as givingUp from "./giving_up.js";
import * as reading from "./reading.js";

const next = document.querySelector("#next");

const clicked = () => new Promise((resolve) => next.addEventListener("click", resolve, { once: true }));
const hash = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data)).join();

const large = async () => {
  const session = connect(server, { channel: { label: "files", protocol: "chess", large: true } });
  const { channel } = session;
  await channel.ready;
  check(channel.protocol === "chess", "the protocol is not the user's own");

  const long = "ñ".repeat(300_000);
  const echo = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(data)));
  channel.send(long);
  check((await echo) === long, "a long message came back changed");
  try {
    channel.send("x".repeat(channel.maxMessageSize + 1));
    check(false, "a message beyond the maximum was sent");
  } catch (error) {
    check(error.kind === "too-large", error);
  }

  const data = new Uint8Array(8 << 20);
  for (let offset = 0; offset < data.length; offset += 65536) {
    crypto.getRandomValues(data.subarray(offset, offset + 65536));
  }
  const incoming = channel.incomingLarge.getReader();
  const back = (async () => {
    const { value } = await incoming.read();
    check(value.name === "año.bin" && value.type === "a/b" && value.total === data.length, "it is described otherwise");
    const received = await new Response(value.stream).arrayBuffer();
    await value.done;
    return received;
  })();
  const progress = [];
  const onprogress = ({ sent, total }) => {
    check(total === data.length && sent >= (progress.at(-1) ?? 0), "the progress goes back");
    progress.push(sent);
  };
  await channel.sendLarge(new Blob([data], { type: "a/b" }), { name: "año.bin", onprogress });
  check(progress.at(-1) === data.length, "the progress does not end at the total");
  check((await hash(await back)) === (await hash(data)), "the bytes differ");

  const abort = new AbortController();
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) });
  const sending = channel.sendLarge(endless, { signal: abort.signal });
  const { value } = await incoming.read();
  const reader = value.stream.getReader();
  await reader.read();
  abort.abort(new Error("enough"));
  check((await sending.catch((error) => error.message)) === "enough", "the abort does not tell its reason");
  const toItsEnd = async () => {
    while (!(await reader.read()).done);
  };
  check((await toItsEnd().catch((error) => error.kind)) === "given-up", "the echo goes on");
  check((await value.done.catch((error) => error.kind)) === "given-up", "the echo counts as done");

  const refused = channel.sendLarge(new Uint8Array(4 << 20));
  (await incoming.read()).value.cancel("no room");
  const gave = await refused.catch((error) => error);
  check(gave.kind === "given-up" && gave.message.includes("no room"), `the echo does not tell why: ${gave.message}`);
  session.close();
};

const resumed = async () => {
  const channelOptions = { label: "talk", resumable: true };
  const session = connect(server, { reconnect: { delay: 100, maxDelay: 500 }, patience: 500, channel: channelOptions });
  const { channel } = session;
  const plain = session.openChannel("plain");
  const received = [];
  const undelivered = [];
  let lost = 0;
  channel.onmessage = ({ data }) => received.push(data);
  channel.onundelivered = ({ messages }) => undelivered.push(...messages.map(({ data }) => data));
  plain.onlost = () => lost++;
  await channel.ready;
  await plain.ready;
  const first = session.id;
  for (let number = 0; number < 1000; number++) {
    channel.send(`${number}`);
    if (number === 500) await fetch(`${server}/sessions/${first}`, { method: "DELETE" });
  }
  await until(() => received.length >= 1000);
  check(received.length === 1000 && received.every((data, number) => data === `${number}`), "not once and in order");
  check(session.id !== first && session.state === "connected", "it is the same session");
  await plain.ready;
  check(lost === 1 && plain.state === "open", "the plain channel does not tell");

  state.textContent = "server, stop";
  await clicked();
  await until(() => session.state === "reconnecting");
  channel.send("while it is away");
  state.textContent = "server, start";
  await until(() => session.state === "connected");
  await channel.ready;
  channel.send("anew");
  await until(() => received.at(-1) === "anew");
  check(received.at(-2) === "while it is away" && undelivered.length === 0, `${undelivered} was not delivered`);
  const attempts = session.exportTrace().events.filter(({ event }) => event === "attempt");
  check(attempts.length >= 2 && attempts[0].number === 1, "the attempts are not in the trace");
  session.close();
  check((await session.closed).by === "local", "it ended otherwise");
};

const talk = async () => {
  await large();
  await resumed();
};

// The query names what is done, all of this by default.
const cases = { talk, ...givingUp, ...reading };
try {
  await cases[location.search.slice(1) || "talk"]();
  state.textContent = "done";
} catch (error) {
  state.textContent = `failed: ${error}`;
}
