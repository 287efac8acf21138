// When a session restarts ICE, connects again, waits or gives up, the module says: protocol/src/reconnect.rs, as for sessions in
// Rust. Here is what that does without: the time, chance, a timer, and who hears of the network. An entry of its own, with a
// module of its own, which are loaded for sessions with `reconnect`.

import { loader } from "./compile.js";
// From the entry, so that there is one class of it.
import { RtcError } from "./index.js";
import { Policy, initSync } from "./reconnect_glue.js";

// A timer takes no more.
const LONGEST = 2 ** 31 - 1;

const beside = () => new URL("./hola_reconnect.wasm", import.meta.url);

export const load = loader("hola_reconnect.wasm", beside, initSync, RtcError, {
  phase: "signalling",
  step: "1",
  hint: "Serve hola_reconnect.wasm beside reconnect.js, or name its folder in resourceBase.",
});

export class Keeper {
  #policy;
  #host;
  #timer;
  // Where the browser says which kind of network it uses: https://wicg.github.io/netinfo/#connection-attribute
  #network = navigator.connection;
  #kind = this.#network?.type;

  // The host does what is to be done: restartIce(), wait(number, wait), connect(), giveUp().
  constructor({ attempts, delay, maxDelay }, host) {
    this.#policy = new Policy(attempts, delay, maxDelay);
    this.#host = host;
    addEventListener("online", this.#heard);
    addEventListener("offline", this.#heard);
    this.#network?.addEventListener("change", this.#heard);
  }

  // What has happened: "connected", "disconnected", "restarted", "failed", and what the browser says of the network.
  tell(news, retryable = true, retryAfter = 0) {
    this.#act(this.#policy.handle(news, performance.now(), Math.random(), retryable, retryAfter));
  }

  close() {
    removeEventListener("online", this.#heard);
    removeEventListener("offline", this.#heard);
    this.#network?.removeEventListener("change", this.#heard);
    clearTimeout(this.#timer);
    this.#policy = undefined;
  }

  #heard = ({ type }) => {
    const last = this.#kind;
    this.#kind = this.#network?.type;
    // It changes with each estimate of the network's speed, too.
    if (type !== "change" || this.#kind !== last) this.tell(type);
  };

  #act(task) {
    if (task) this.#host[task](this.#policy.number(), this.#policy.wait());
    clearTimeout(this.#timer);
    // Who has heard of it may have closed this.
    const wait = this.#policy?.due() - performance.now();
    if (wait < Infinity) this.#timer = setTimeout(this.#poll, Math.min(wait, LONGEST));
  }

  #poll = () => this.#act(this.#policy.poll(performance.now()));
}
