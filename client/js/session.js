// A connection from the call to its end: promises, events and streams about the module's `Core`.

import { Channel } from "./channel.js";
import { RtcError } from "./errors.js";
import { eventHandlers } from "./events.js";
import { load } from "./load.js";
import { initOf } from "./modes.js";
import { connectOptions } from "./options.js";
import { Deferred } from "./promise.js";
import { graceOf, pause, waitBefore } from "./reconnect.js";
import { summary } from "./stats.js";
import { Trace } from "./trace.js";

const LABEL = "chat";

const unconnected = () => new DOMException("the session has no connection", "InvalidStateError");

export class Session extends EventTarget {
  #core;
  #state = "connecting";
  #ready = new Deferred();
  #closed = new Deferred();
  #trace = new Trace();
  #channel;
  // Those that live.
  #channels = new Set();
  #incoming;
  #incomingChannels = new ReadableStream({
    start: (controller) => (this.#incoming = controller),
    cancel: () => (this.#incoming = undefined),
  });
  #id;
  #startedAt;
  #closeInfo;
  #unfollow;
  // What a connection is made of, and made of again.
  #begin;
  #options;
  #reconnect;
  // Those who wait for the attempt under way.
  #attempted;
  // How many have led to nothing that lasted, and when the connection opened.
  #attempts = 0;
  #openedAt;
  // How to open each channel on the next connection.
  #openers = new Map();
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
    this.#reconnect = chosen.reconnect;
    this.#options = options;
    this.#channel = this.#adopt(new Channel(first.label, this.#ofSession(first, options)));
    const abort = () => this.#fail(signal.reason);
    signal?.addEventListener("abort", abort);
    this.#unfollow = () => signal?.removeEventListener("abort", abort);
    if (signal?.aborted) return void abort();
    if (this.#reconnect) addEventListener("online", this.#heal);
    this.#start(address, chosen, first.label, init, options).catch((error) => this.#fail(error));
  }

  // What a channel has to know of its session.
  #ofSession(options, { resourceBase }) {
    return { ...options, resourceBase, grace: this.#reconnect && graceOf(options) };
  }

  async #start(url, chosen, label, init, { gate, resourceBase }) {
    const Core = await load(resourceBase);
    if (this.#state === "closed") return;
    this.#begin = () => {
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
          this.#channel.attach(core, raw);
        },
        incoming: (raw) => {
          const channel = this.#adopt(new Channel(undefined, this.#ofSession({}, { resourceBase })));
          channel.attach(core, raw);
          // Not from within the module, where channels close.
          if (this.#incoming) this.#incoming.enqueue(channel);
          else queueMicrotask(() => channel.close());
        },
        opened: () => isOurs() && this.#opened(),
        pathFound: () => isOurs() && this.#tellPath().catch(() => {}),
        changed: (disconnected) => {
          if (isOurs() && this.#isUp && this.#move(disconnected ? "disconnected" : "connected") && disconnected) {
            this.#heal();
          }
        },
        ended: (by, error) => isOurs() && this.#over(by, error && new RtcError(error)),
      });
      this.#core = core;
    };
    this.#begin();
  }

  // Nothing comes, or the network is another one: a new path may do, long before the connection counts as lost.
  #heal = () => {
    if (this.#reconnect && this.#isUp) this.restartIce().catch(() => {});
  };

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
    return this.#channel;
  }
  get incomingChannels() {
    return this.#incomingChannels;
  }
  get trace() {
    return this.#trace;
  }

  openChannel(label, options = {}) {
    const init = initOf(options);
    const channel = this.#adopt(new Channel(String(label), this.#ofSession(options, this.#options)));
    const open = () => {
      if (channel.state !== "connecting") return;
      try {
        channel.attach(this.#core, this.#core.openChannel(String(label), init));
      } catch (error) {
        channel.end(error);
        throw error;
      }
    };
    this.#openers.set(channel, open);
    if (this.#state === "closed") channel.end();
    else if (this.#isUp) open();
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

  #adopt(channel) {
    this.#channels.add(channel);
    const forget = () => this.#channels.delete(channel) && this.#openers.delete(channel);
    channel.addEventListener("close", forget, { once: true });
    return channel;
  }

  #opened() {
    this.#unfollow();
    const attempted = this.#attempted;
    this.#attempted = undefined;
    this.#openedAt = performance.now();
    this.#move("connected");
    this.#ready.resolve();
    attempted?.();
    // One that the page has closed meanwhile.
    if (this.#channel.state === "closed") this.#core.closeChannel(this.#core.first);
    for (const open of [...this.#openers.values()]) {
      // A channel that does not open says so itself.
      try {
        open();
      } catch {}
    }
  }

  #fail(error) {
    this.#ended("failure", error);
  }

  // The connection is over. An attempt has failed, or the session goes on with another connection, or it is over, too. When
  // the server ends it, it may be about to start anew; if it does not want this client, it refuses the offer.
  #over(by, error) {
    if (this.#attempted) this.#attempted(error);
    else if (
      this.#reconnect &&
      this.#ready.isDone &&
      // There is a channel to go on with.
      (this.#openers.size || this.#channel.state !== "closed") &&
      (by === "remote" || error?.retryable)
    ) {
      this.#again(error);
    } else this.#ended(by, error);
  }

  // Connects again and again, after random times that get longer, so that many clients do not come at once. A connection that
  // does not last is one more attempt that failed, lest a server that sends everybody away be asked for ever.
  async #again(error) {
    const { attempts, maxDelay } = this.#reconnect;
    if (performance.now() - this.#openedAt >= maxDelay) this.#attempts = 0;
    this.#drop();
    this.#move("reconnecting");
    for (const channel of [...this.#channels]) {
      if (channel === this.#channel || this.#openers.has(channel)) channel.detach();
      else channel.end(...(error ? [error] : []));
    }
    // Who hears of it may close the session.
    while (this.#state !== "closed" && this.#attempts < attempts) {
      const number = ++this.#attempts;
      const asked = error?.retryAfter ?? 0;
      const wait = waitBefore(number, asked, this.#reconnect);
      this.#trace.push({ step: "1", side: "client", at: this.#now(), event: "attempt", number, wait });
      // The session's end ends it as well.
      await pause(wait, asked, (stop) => (this.#attempted = stop));
      this.#attempted = undefined;
      if (this.#state === "closed") return;
      error = await new Promise((attempted) => {
        this.#attempted = attempted;
        this.#begin();
      });
      if (!error || this.#state === "closed") return;
      this.#drop();
      this.#channel.forget();
      if (!error.retryable) break;
    }
    this.#attempted = undefined;
    this.#ended(error ? "failure" : "remote", error);
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
    removeEventListener("online", this.#heal);
    this.#attempted?.(error);
    this.#trace.end();
    // Whatever the error is: a gate may throw undefined.
    const failure = by === "failure" ? [error] : [];
    if (failure.length) {
      this.#ready.reject(error);
      this.#closed.reject(error);
      this.#incoming?.error(error);
    } else {
      this.#ready.reject(new DOMException("the session was closed before it was open", "AbortError"));
      this.#closed.resolve({ by, code: 0, reason: "", ...this.#closeInfo });
      this.#incoming?.close();
    }
    for (const channel of [...this.#channels]) channel.end(...failure);
  }

  #move(state) {
    if (this.#state === state || this.#state === "closed") return false;
    this.#state = state;
    queueMicrotask(() => this.dispatchEvent(new Event("statechange")));
    return true;
  }
}

eventHandlers(Session, "statechange");
