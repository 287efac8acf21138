// What a server refuses or ends, what is no server, and what is there no more.

import { RtcError, connect } from "./pkg/index.js";
import { check, closes, equal, nothingHeld, reasonOf, server, state, until } from "./expect.js";

const failure = async (url, expected, options) => {
  const session = connect(url, options);
  const error = await reasonOf(session.ready);
  check(error instanceof RtcError && error instanceof Error && error.name === "RtcError", `${error} is no RtcError`);
  const { phase, step, kind, retryable, cause } = error;
  equal(JSON.stringify({ phase, step, kind, retryable, cause: cause?.status ?? cause }), JSON.stringify(expected));
  check(error.message.length > 10 && error.hint.length > 10, "it says neither what nor what to do");
  for (const promise of [session.closed, session.channel.ready, session.channel.closed]) {
    check((await reasonOf(promise)) === error, "another error elsewhere");
  }
  check((await reasonOf(session.incomingChannels.getReader().closed)) === error, "another error of the incoming channels");
  const last = session.exportTrace().events.at(-1);
  equal(`${last.event} ${last.step} ${last.message}`, `failed ${step} ${error.message}`);
  await nothingHeld();
  return error;
};
const atTheOffer = { phase: "signalling", step: "5" };

const errors = async () => {
  const invalid = { ...atTheOffer, kind: "invalid-url", retryable: false };
  for (const url of ["ftp://localhost/", "https://[", "https://me:secret@localhost/"]) {
    const error = await failure(url, invalid);
    check(error.message.includes(url), "the URL is not told");
  }
  const missing = await failure("nowhere/", {
    ...atTheOffer,
    kind: "unexpected-reply",
    retryable: false,
    cause: 404,
  });
  check(missing.message.includes("404"), missing.message);
};

const unreachable = async () => {
  const error = await failure(server, { ...atTheOffer, kind: "server-unreachable", retryable: true });
  check(error.message.includes(server), error.message);
};

const token = async () => {
  const refused = { ...atTheOffer, kind: "refused", retryable: false, cause: 401 };
  for (const options of [{}, { token: "another" }]) {
    const { cause, hint } = await failure(server, refused, options);
    check(cause.code && cause.title && cause.detail === hint, JSON.stringify(cause));
  }
  const session = connect(server, { token: "open-sesame" });
  await session.ready;
  session.close();
  await nothingHeld();
};

// A server that asks for a time to itself gets it before the next attempt.
const away = async () => {
  const session = connect(server, { reconnect: { delay: 50, maxDelay: 50 } });
  await session.ready;
  const browserFetch = globalThis.fetch;
  let refused;
  globalThis.fetch = (request) => {
    if (request.method !== "POST") return browserFetch(request);
    globalThis.fetch = browserFetch;
    refused = performance.now();
    return Promise.resolve(new Response(null, { status: 503, headers: { "Retry-After": "1" } }));
  };
  await browserFetch(new Request(`${server}/sessions/${session.id}`, { method: "DELETE" }));
  const second = () => session.exportTrace().events.find(({ event, number }) => event === "attempt" && number === 2);
  await until(second);
  const { wait } = second();
  check(wait >= 1000 && wait <= 1050, `it waits ${wait} ms`);
  await until(() => session.state === "connected");
  check(performance.now() - refused >= 1000, "it came too early");
  equal(session.channel.state, "open");
  session.close();
  await closes(session);
};

// A server that lets in and sends away at once is not asked for ever.
const sentAway = async () => {
  const session = connect(server, { reconnect: { attempts: 2, delay: 10, maxDelay: 600000 } });
  session.onstatechange = () => {
    const resource = `${server}/sessions/${session.id}`;
    if (session.state === "connected") fetch(new Request(resource, { method: "DELETE" }));
  };
  equal(JSON.stringify(await session.closed), JSON.stringify({ by: "remote", code: 0, reason: "" }));
  const attempts = session.exportTrace().events.filter(({ event }) => event === "attempt");
  equal(attempts.map(({ number }) => number).join(), "1,2");
  equal(session.channel.state, "closed");
};

// A server that is there no more, and has not said so.
const vanished = async () => {
  const session = connect(server, { patience: 500 });
  const states = [];
  session.onstatechange = () => states.push(session.state);
  await session.ready;
  const { channel } = session;
  state.textContent = "server, vanish";
  const error = await reasonOf(session.closed);
  check(error instanceof RtcError && error.kind === "lost" && error.retryable, `${error}`);
  equal(await reasonOf(channel.closed), error);
  equal(channel.state, "closed");
  equal(states.join(), "connected,disconnected,closed");
  await nothingHeld();
};

// Until the page goes.
const stays = async () => {
  const session = connect(server);
  await session.ready;
  state.textContent = `open ${session.id}`;
  await session.closed;
};

export const failing = { errors, unreachable, token, away, sentAway, vanished, stays };
