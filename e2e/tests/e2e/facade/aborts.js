// Giving up: by the signal at each step, by closing, and by what a gate throws.

import { connect } from "./pkg/index.js";
import { check, closes, deletions, equal, gone, nothingHeld, reasonOf, server } from "./expect.js";
import { connections, requests, whenRequested, whileRequesting } from "./ledger.js";

const STEPS = ["1", "2", "3", "4", "5", "7", "8a", "8b", "8c", "8d"];
const never = new Promise(() => {});

// All promises reject with what it was, nothing is left, and no session on the server.
const isGivenUp = async (session, reason) => {
  for (const promise of [session.ready, session.closed, session.channel.ready, session.channel.closed]) {
    check((await reasonOf(promise)) === reason, `${await reasonOf(promise)} instead of ${reason}`);
  }
  equal(session.state, "closed");
  await nothingHeld();
  if (session.id) await gone(session.id);
  for await (const _ of session.trace);
};

// Before a step, whether or not the gate ever lets it pass.
const beforeStep = async (last, rest) => {
  const abort = new AbortController();
  const reason = new Error(`before ${last}`);
  const [before, passed] = [connections.length, []];
  const gate = (step) => {
    passed.push(step);
    if (step !== last) return undefined;
    abort.abort(reason);
    return rest;
  };
  const session = connect(server, { signal: abort.signal, gate });
  await isGivenUp(session, reason);
  equal(passed.join(), STEPS.slice(0, STEPS.indexOf(last) + 1).join());
  equal(connections.length - before, last === "1" ? 0 : 1);
  equal(session.id !== undefined, STEPS.indexOf(last) > STEPS.indexOf("5"));
  if (last === "7") equal(deletions(session.id), 1);
};

const atOnce = async () => {
  const reason = new Error("before all");
  await isGivenUp(connect(server, { signal: AbortSignal.abort(reason) }), reason);
  const session = connect(server, { signal: AbortSignal.abort() });
  equal((await reasonOf(session.ready)).name, "AbortError");
  equal(connections.length + requests.length, 0);
};

const onTheWay = async () => {
  const abort = new AbortController();
  const reason = new Error("on the way");
  whenRequested(() => abort.abort(reason));
  await isGivenUp(connect(server, { signal: abort.signal }), reason);
  whenRequested(() => {});
};

const fromWithinFetch = async () => {
  const abort = new AbortController();
  const reason = new Error("from within fetch");
  whileRequesting(() => abort.abort(reason));
  await isGivenUp(connect(server, { signal: abort.signal }), reason);
  let session;
  whileRequesting(() => session.close());
  session = connect(server);
  equal((await reasonOf(session.ready)).name, "AbortError");
  equal((await session.closed).by, "local");
  await nothingHeld();
  whileRequesting(() => {});
};

const thrownByGate = async (reason) => {
  const gate = (step) => {
    if (step === "3") throw reason;
  };
  await isGivenUp(connect(server, { gate }), reason);
  await isGivenUp(connect(server, { gate: () => Promise.reject(reason) }), reason);
};

const closedBefore = async () => {
  const session = connect(server, { gate: (step) => step === "7" && session.close({ reason: "changed my mind" }) });
  equal((await reasonOf(session.ready)).name, "AbortError");
  equal(JSON.stringify(await session.closed), '{"by":"local","code":0,"reason":"changed my mind"}');
  await nothingHeld();
  equal(deletions(session.id), 1);
  await gone(session.id);
};

const onceOpen = async () => {
  const abort = new AbortController();
  const session = connect(server, { signal: abort.signal });
  await session.ready;
  abort.abort();
  const echo = new Promise((resolve) => (session.channel.onmessage = ({ data }) => data === "on" && resolve()));
  session.channel.send("on");
  await echo;
  await closes(session);
};

export const aborts = async () => {
  await atOnce();
  for (const step of STEPS) {
    await beforeStep(step);
    await beforeStep(step, never);
  }
  await onTheWay();
  await fromWithinFetch();
  for (const reason of [new Error("no"), "a word", undefined, null, 0]) await thrownByGate(reason);
  await closedBefore();
  await onceOpen();
};
