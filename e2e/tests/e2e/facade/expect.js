// What the cases are written with.

import { ask, held, requests } from "./ledger.js";

export const server = "https://localhost:8443";
export const state = document.querySelector("#state");

export const check = (condition, what) => {
  if (!condition) throw new Error(what);
};
export const equal = (is, expected) => check(is === expected, `${is} instead of ${expected}`);

// The test that drives the page bounds the time.
export const until = async (condition) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** What a promise rejects with. */
export const reasonOf = (promise) =>
  promise.then(
    () => check(false, "it resolved"),
    (reason) => reason,
  );

/** What a call throws. */
export const thrown = (call) => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

/** Waits until the package holds nothing of the browser's, and shows meanwhile what it still does. */
export const nothingHeld = async () => {
  await until(() => (state.textContent = held().join(", ")) === "");
};

/** Closes the session, here and on the server; nothing is left of it. */
export const closes = async (session) => {
  session.close();
  equal((await session.closed).by, "local");
  equal(session.state, "closed");
  await nothingHeld();
  await gone(session.id);
};

/** The server does not know the session any more. */
export const gone = (id) => {
  const url = `${server}/sessions/${id}/events`;
  const isGone = async () => {
    const { status, body } = await ask(url);
    await body?.cancel();
    return status === 404;
  };
  return until(isGone);
};

/** How often the package has asked the server to end the session. */
export const deletions = (id) =>
  requests.filter(({ method, url }) => method === "DELETE" && url === `${server}/sessions/${id}`).length;
