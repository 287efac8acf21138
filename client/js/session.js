// A connection from the call to its end: promises, events and streams about the module's `Core`.

import { Channels } from "./channels.js";
import { RtcError, unloaded } from "./errors.js";
import { eventHandlers } from "./events.js";
import { Core } from "./glue.js";
import { load } from "./load.js";
import { initOf } from "./modes.js";
import { connectOptions } from "./options.js";
import { Deferred } from "./promise.js";
import { summary } from "./stats.js";
import { Trace } from "./trace.js";

const LABEL = "chat";

// A module does.
const failed = unloaded("signalling", "1");

const unconnected = () => new DOMException("the session has no connection", "InvalidStateError");

export class Session extends EventTarget {
  #core;
  #state = "connecting";
  #ready = new Deferred();
  #closed = new Deferred();
  #trace = new Trace();
  #channels;
  #id;
  #startedAt;
  #closeInfo;
  #unfollow;
  // What a connection is made of, and made of again.
  #begin;
  // Promises who decides when to restart ICE and when to connect again, if the session stays.
  #keeper;
  // How the last connection ended.
  #last;
  // The ICE restart that was asked for last.
  #restarted = Promise.resolve();
  // Ends it: the browser settles nothing of a connection that is closed.
  #cut;

  constructor(url, options) {
    super();
    const { signal } = options;
    const first = { ...options.channel, label: options.channel?.label ?? LABEL };
    const chosen = connectOptions(options);
    // What throws comes before anything that has to be given back.
    const init = initOf(first);
    const address = String(url);
    const { reconnect } = chosen;
    this.#channels = new Channels(first, options.resourceBase, reconnect);
    const abort = () => this.#fail(signal.reason);
    signal?.addEventListener("abort", abort);
    this.#unfollow = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) return void abort();
    this.#start(address, chosen, first.label, init, options).catch(this.#fail);
    if (reconnect) this.#keeper = this.#stay(reconnect, options).catch(failed).catch(this.#fail);
  }

  async #start(url, chosen, label, init, { gate, resourceBase }) {
    await load(resourceBase).catch(failed);
    this.#begin = () => {
      if (this.#state === "closed") return;
      // The trace goes on where the last connection's ended.
      const offset = this.#startedAt === undefined ? 0 : this.#now();
      const isOurs = () => this.#core === core;
      const core = new Core(url, label, init, chosen, {
        gate:
          gate &&
          (async (step) => {
            try {
              // Not from within the module, which the gate's function may call.
              await undefined;
              await gate(step);
            } catch (error) {
              this.#fail(error);
            }
          }),
        // Also that it is closed, when it is not ours any more.
        traced: (event) => this.#record({ ...event, at: event.at + offset }),
        made: (raw, peerConnection) => {
          core.peerConnection = peerConnection;
          core.first = raw;
          this.#channels.first.attach(core, raw);
        },
        incoming: (raw) => this.#channels.add(core, raw),
        opened: () => isOurs() && this.#opened(),
        pathFound: () => isOurs() && this.#tellPath().catch(() => {}),
        changed: (disconnected) => {
          if (isOurs() && this.#isUp && this.#move(disconnected ? "disconnected" : "connected") && disconnected) {
            // A new path may do, long before the connection counts as lost.
            this.#tell("disconnected");
          }
        },
        ended: (by, error) => isOurs() && this.#over(by, error && new RtcError(error)),
      });
      this.#core = core;
    };
    this.#begin();
  }

  // Who decides is loaded beside the first connection, which does not wait for it.
  async #stay(times, { resourceBase }) {
    const { keep } = await import("./reconnect.js");
    return keep(resourceBase, times, {
      restartIce: () => this.restartIce(),
      wait: (number, wait) => this.#record({ step: "1", side: "client", at: this.#now(), event: "attempt", number, wait }),
      connect: () => {
        // An attempt may be under way on a network that is gone.
        this.#detach();
        this.#begin();
      },
      giveUp: () => this.#ended(...this.#last),
    });
  }

  // Also what has happened before it is loaded.
  #tell(...news) {
    this.#keeper?.then((keeper) => keeper?.tell(...news));
  }

  get #isUp() {
    return /cted$/.test(this.#state);
  }

  #now() {
    return performance.now() - this.#startedAt;
  }

  #record(event) {
    this.#startedAt ??= performance.now() - event.at;
    // The session's name is known as soon as the server has replied.
    if (event.session) this.#id = event.session;
    this.#trace.push(event);
  }

  // The browser knows which pair of candidates it is; nobody waits for it.
  async #tellPath() {
    const { pair } = summary(await this.#core.peerConnection.getStats());
    if (pair?.local && pair.remote && this.#state !== "closed") {
      this.#record({ step: "8a", side: "client", at: this.#now(), event: "candidate-pair", ...pair });
    }
  }

  get id() {
    return this.#id;
  }
  get ready() {
    return this.#ready.promise;
  }
  get closed() {
    return this.#closed.promise;
  }
  get state() {
    return this.#state;
  }
  get channel() {
    return this.#channels.first;
  }
  get incomingChannels() {
    return this.#channels.incoming;
  }
  get trace() {
    return this.#trace;
  }

  openChannel(label, options = {}) {
    const init = initOf(options);
    const channel = this.#channels.open(String(label), init, options, this.#isUp && this.#core);
    if (this.#state === "closed") channel.end();
    return channel;
  }

  async getStats() {
    return summary(await (await this.#connected()).peerConnection.getStats());
  }

  // One after the other: one that fails goes back to what there was, and would take the next with it.
  restartIce() {
    const restart = async () => {
      const core = await this.#connected();
      await new Promise((resolve, reject) => {
        this.#cut = () => reject(unconnected());
        core.restartIce((error) => (error ? reject(new RtcError(error)) : resolve()));
      });
    };
    return (this.#restarted = this.#restarted.then(restart, restart));
  }

  async #connected() {
    await this.#ready.promise;
    if (!this.#isUp) throw unconnected();
    return this.#core;
  }

  exportTrace() {
    return this.#trace.export();
  }

  close({ code = 0, reason = "" } = {}) {
    if (this.#state === "closed") return;
    this.#closeInfo = { code, reason };
    this.#ended("local");
  }

  #opened() {
    this.#unfollow();
    this.#move("connected");
    this.#ready.resolve();
    this.#tell("connected");
    this.#channels.attach(this.#core);
  }

  #fail = (error) => this.#ended("failure", error);

  // The connection is over, or the attempt at one. The first failure is the caller's to judge. Then it may go on with another, if
  // there is a channel to go on with. When the server ends it, it may be about to start anew; if it does not want this client, it
  // refuses the offer.
  #over(by, error) {
    if (!this.#keeper || !this.#ready.isDone || !this.#channels.areLeft || (by !== "remote" && !error?.retryable))
      return this.#ended(by, error);
    this.#last = [by, error];
    this.#detach(error);
    this.#tell("failed", error?.retryAfter);
  }

  // The channels wait for the next connection; those of the other side are this one's.
  #detach(error) {
    this.#drop();
    if (this.#move("reconnecting")) this.#channels.detach(...(error ? [error] : []));
    else this.#channels.first.forget();
  }

  #drop() {
    const core = this.#core;
    this.#core = undefined;
    this.#restarted = Promise.resolve();
    this.#cut?.();
    if (!core) return;
    core.close();
    // The module and this session would hold each other for ever. Not from within one of its functions; and channels that are
    // still to learn of it have nothing to close.
    queueMicrotask(() => {
      core.free();
      core.closeChannel = () => {};
    });
  }

  #ended(by, error) {
    if (this.#state === "closed") return;
    this.#move("closed");
    this.#unfollow();
    this.#drop();
    this.#tell("closed");
    this.#trace.end();
    // Whatever the error is: a gate may throw undefined.
    const failure = by === "failure" ? [error] : [];
    if (failure.length) {
      this.#ready.reject(error);
      this.#closed.reject(error);
    } else {
      this.#ready.reject(new DOMException("the session was closed before it was open", "AbortError"));
      this.#closed.resolve({ by, code: 0, reason: "", ...this.#closeInfo });
    }
    this.#channels.end(...failure);
  }

  #move(state) {
    if (this.#state === state || this.#state === "closed") return false;
    this.#state = state;
    queueMicrotask(() => this.dispatchEvent(new Event("statechange")));
    return true;
  }
}

eventHandlers(Session, "statechange");
