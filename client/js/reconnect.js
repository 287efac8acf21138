// When a session restarts ICE, connects again, waits or gives up, the module says: protocol/src/reconnect.rs, as for sessions in
// Rust. Here is what that does without: the time, chance, a timer, and who hears of the network. An entry of its own, with a
// module of its own, which are loaded for sessions with `reconnect`.

import { loader } from "./compile.js";
import { Policy, initSync } from "./reconnect_glue.js";

// A timer takes no more.
const LONGEST = 2 ** 31 - 1;

const beside = () => new URL("./hola_reconnect.wasm", import.meta.url);

const load = loader("hola_reconnect.wasm", beside, initSync);

class Keeper {
  #policy;
  #host;
  #timer;
  // Where the browser says which kind of network it uses: https://wicg.github.io/netinfo/#connection-attribute
  #network = navigator.connection;
  #kind = this.#network?.type;

  // The host does what is to be done: restartIce(), which promises its end, wait(number, wait), connect(), giveUp().
  constructor({ attempts, delay, maxDelay }, host) {
    this.#policy = new Policy(Number(attempts), delay, maxDelay);
    this.#host = host;
    addEventListener("online", this.#heard);
    addEventListener("offline", this.#heard);
    this.#network?.addEventListener("change", this.#heard);
    // After what has happened until now, of which it is told first.
    setTimeout(() => navigator.onLine || this.tell("offline"));
  }

  // What has happened: "connected", "disconnected", "restarted", "failed", "closed", and what the browser says of the network.
  tell(news, retryAfter = 0) {
    if (news === "closed") {
      removeEventListener("online", this.#heard);
      removeEventListener("offline", this.#heard);
      this.#network?.removeEventListener("change", this.#heard);
    }
    this.#act(this.#policy.handle(news, performance.now(), Math.random(), retryAfter));
  }

  #heard = ({ type }) => {
    const last = this.#kind;
    this.#kind = this.#network?.type;
    // It changes with each estimate of the network's speed, too.
    if (type !== "change" || this.#kind !== last) this.tell(type);
  };

  #act(task) {
    if (task) {
      const done = this.#host[task](this.#policy.number(), this.#policy.wait());
      if (task === "restartIce") done.then(this.#restarted, this.#restarted);
    }
    clearTimeout(this.#timer);
    const wait = this.#policy.due() - performance.now();
    if (wait < Infinity) this.#timer = setTimeout(this.#poll, Math.min(wait, LONGEST));
  }

  // Well or not. If the connection is gone meanwhile, the policy does not mind.
  #restarted = () => this.tell("restarted");

  #poll = () => this.#act(this.#policy.poll(performance.now()));
}

export const keep = async (base, times, host) => {
  await load(base);
  return new Keeper(times, host);
};
