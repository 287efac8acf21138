// A channel given to a worker, and the streams of one that stays; then a browser that cannot transfer channels. #state says
// how it went.

import { RtcError, connect } from "./pkg/index.js";
import { canTransfer, openInWorker } from "./pkg/worker.js";

const server = "https://localhost:8443";
const state = document.querySelector("#state");

const check = (condition, what) => {
  if (!condition) throw new Error(what);
};
const failure = (promise) =>
  promise.then(
    () => check(false, "it resolved"),
    (error) => error,
  );
const heard = (worker) =>
  new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data), { once: true }));
const expect = async (said, text) => {
  const data = await said;
  check(data === text, `${data} instead of ${text}`);
};

const transferred = async () => {
  const worker = new Worker("talker.js");
  const session = connect(server, { channel: { label: "echo" } });
  const early = heard(worker);
  // Asked for before the session is connected, and after.
  await openInWorker(session, worker, "early", { ordered: false });
  await expect(early, "early from the worker");
  const late = heard(worker);
  await openInWorker(session, worker, "late");
  await expect(late, "late from the worker");
  // The session goes on beside it.
  const other = session.openChannel("other");
  await other.ready;
  const echo = new Promise((resolve) => (other.onmessage = ({ data }) => resolve(data)));
  other.send("here");
  await expect(echo, "here");
  // The worker's channels keep the session alone, and those that the page opens and closes meanwhile.
  for (const channel of [session.channel, other, session.openChannel("brief")]) {
    await channel.ready;
    channel.close();
    await channel.closed;
  }
  const again = heard(worker);
  worker.postMessage("still here");
  await expect(again, "still here");
  check(session.state === "connected", `the session is ${session.state}`);
  const ends = heard(worker);
  session.close();
  await expect(ends, "closed");
  check((await failure(openInWorker(session, worker, "too late"))).kind === "not-transferable", "it is given away");
};

// The worker gets the channel of the next connection, too.
const again = async () => {
  const worker = new Worker("talker.js");
  const session = connect(server, { channel: { label: "echo" }, reconnect: { delay: 10 } });
  const first = heard(worker);
  await openInWorker(session, worker, "kept");
  await expect(first, "kept from the worker");
  const said = [];
  worker.onmessage = ({ data }) => said.push(data);
  await fetch(`${server}/sessions/${session.id}`, { method: "DELETE" });
  while (said.at(-1) !== "kept from the worker") await new Promise((later) => setTimeout(later, 10));
  check(said.join() === "closed,kept from the worker", said.join());
  session.close();
};

const streams = async () => {
  const worker = new Worker("talker.js");
  const session = connect(server, { channel: { label: "echo" } });
  const { readable, writable } = session.channel;
  const said = heard(worker);
  worker.postMessage([readable, writable], [readable, writable]);
  await expect(said, "streams from the worker");
  session.close();
};

// As in browsers that have not learned it.
const refused = async () => {
  const { postMessage } = MessagePort.prototype;
  MessagePort.prototype.postMessage = function (message, transfer = []) {
    for (const object of transfer) {
      if (object instanceof RTCDataChannel) throw new DOMException("it is not transferable", "DataCloneError");
    }
    postMessage.call(this, message, transfer);
  };
  check(!canTransfer(), "it counts as transferable");
  const session = connect(server);
  await session.ready;
  const error = await failure(openInWorker(session, new MessageChannel().port1, "none"));
  check(error instanceof RtcError && error.kind === "not-transferable", `${error}`);
  check(error.cause.name === "DataCloneError" && error.hint, `${error.cause}`);
  const wrong = await failure(openInWorker(session, new MessageChannel().port1, "none", { large: true }));
  check(wrong instanceof TypeError, `${wrong}`);
  check(session.state === "connected", "the session has ended with it");
  session.close();
};

try {
  check(canTransfer() || location.search !== "?transfers", "this browser can transfer channels");
  if (canTransfer()) {
    await transferred();
    await again();
  }
  await streams();
  await refused();
  check(![...window.violations, ...window.faults].length, [...window.violations, ...window.faults].join());
  state.textContent = "done";
} catch (error) {
  state.textContent = `failed: ${error} ${error?.stack}`;
}
