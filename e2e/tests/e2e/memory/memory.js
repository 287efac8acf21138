// Sends as many MiB as the query says, made on the fly, and reads their echo. #state says how many are back, and at the end
// "done".

import { connect } from "./pkg/index.js";

const server = "https://localhost:8443";
const state = document.querySelector("#state");
const next = document.querySelector("#next");
const total = Number(location.search.slice(1)) * 2 ** 20;

const BLOCK = 65536;
// Each block has its number in all its bytes.
const byteAt = (offset) => Math.floor(offset / BLOCK) & 255;

// By what they are, as the package's names are short.
const memories = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = function (...parts) {
  const instance = new Instance(...parts);
  memories.push(...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory));
  return instance;
};
/** How many bytes the memories of the page's modules have. */
window.moduleBytes = () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);

const check = (condition, what) => {
  if (!condition) throw new Error(what);
};

const made = () => {
  let at = 0;
  const pull = (controller) => {
    controller.enqueue(new Uint8Array(BLOCK).fill(byteAt(at)));
    at += BLOCK;
    if (at >= total) controller.close();
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
};

const receive = async ({ stream, done }) => {
  let at = 0;
  const reader = stream.getReader();
  for (let read; !(read = await reader.read()).done; ) {
    const { value } = read;
    const last = at + value.length - 1;
    check(value[0] === byteAt(at) && value.at(-1) === byteAt(last), `other bytes at ${at}`);
    at = last + 1;
    state.textContent = `${Math.floor(at / 2 ** 20)}`;
  }
  check(at === total, `${at} bytes came back`);
  await done;
};

const run = async () => {
  const session = connect(server, { channel: { label: "files", large: true } });
  const { channel } = session;
  await channel.ready;
  const incoming = channel.incomingLarge.getReader();
  state.textContent = "ready";
  await new Promise((resolve) => next.addEventListener("click", resolve, { once: true }));
  await Promise.all([channel.sendLarge(made()), incoming.read().then(({ value }) => receive(value))]);
  session.close();
};

try {
  await run();
  state.textContent = "done";
} catch (error) {
  state.textContent = `failed: ${error}`;
}
