// The times of a session that stays: how long it waits for news, and for its next attempt.

import { Deferred } from "./promise.js";

// How long a closed channel may wait for the news that its session has ended with it, in milliseconds. A resumable one says so
// itself when it ends for good, so that it can wait for a server that closes one channel after the other as it stops.
const GRACE = 250;
const RESUMABLE_GRACE = 5000;

export const graceOf = ({ resumable }) => (resumable ? RESUMABLE_GRACE : GRACE);

// On top of what the server asks for, lest all whom it sent away come back at once.
export const waitBefore = (number, asked, { delay, maxDelay }) =>
  asked + Math.random() * Math.min(maxDelay, delay * 2 ** (number - 1));

// For so long, or until it is stopped, or until the network is back if the server has asked for nothing.
export const pause = async (wait, asked, stoppable) => {
  const { promise, resolve } = new Deferred();
  stoppable(resolve);
  const timer = setTimeout(resolve, wait);
  if (!asked) addEventListener("online", resolve);
  await promise;
  removeEventListener("online", resolve);
  clearTimeout(timer);
};
