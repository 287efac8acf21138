// What happened, and when: kept from the first event on, for any number of readers.

import { Deferred } from "./promise.js";

const VERSION = 1;

export class Trace {
  #startedAt = new Date();
  #events = [];
  #more = new Deferred();
  #ended = false;

  push(event) {
    this.#events.push(event);
    this.#wake();
  }

  end() {
    this.#ended = true;
    this.#wake();
  }

  #wake() {
    this.#more.resolve();
    this.#more = new Deferred();
  }

  async *[Symbol.asyncIterator]() {
    for (let index = 0; ; index++) {
      while (index >= this.#events.length) {
        if (this.#ended) return;
        await this.#more.promise;
      }
      yield this.#events[index];
    }
  }

  export() {
    return {
      version: VERSION,
      startedAt: this.#startedAt.toISOString(),
      userAgent: navigator.userAgent,
      events: [...this.#events],
    };
  }
}
