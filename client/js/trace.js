// What happened, and when: kept from the first event on, for any number of readers.

import { Deferred } from "./promise.js";

const VERSION = 1;

// A session that tries to connect again for ever forgets how it began.
const MOST = 1000;

export class Trace {
  #startedAt = new Date();
  // One for each event, which yields the next; the last one is for what comes. Readers go from one to the next.
  #links = [new Deferred()];

  push(event) {
    const link = this.#links.at(-1);
    const next = new Deferred();
    link.event = event;
    link.resolve(next);
    if (this.#links.push(next) > MOST + 1) this.#links.shift();
  }

  end() {
    this.#links.at(-1).resolve();
  }

  async *[Symbol.asyncIterator]() {
    for (let link = this.#links[0], next; (next = await link.promise); link = next) yield link.event;
  }

  export() {
    return {
      version: VERSION,
      startedAt: this.#startedAt.toISOString(),
      userAgent: navigator.userAgent,
      events: this.#links.slice(0, -1).map(({ event }) => event),
    };
  }
}
