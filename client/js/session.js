// A connection from the call to its end: promises, events and streams about the module's `Core`.

import { Channel } from "./channel.js";
import { RtcError } from "./errors.js";
import { eventHandlers } from "./events.js";
import { load } from "./load.js";
import { connectOptions } from "./options.js";
import { Deferred } from "./promise.js";
import { summary } from "./stats.js";
import { Trace } from "./trace.js";

const LABEL = "chat";

export class Session extends EventTarget {
  #core;
  #state = "connecting";
  #ready = new Deferred();
  #closed = new Deferred();
  #trace = new Trace();
  #channel;
  // Those that live, and of them those that wait for the connection.
  #channels = new Set();
  #waiting = [];
  #incoming;
  #incomingChannels = new ReadableStream({ start: (controller) => (this.#incoming = controller) });
  #id;
  #startedAt;
  #closeInfo;
  #unfollow = () => {};

  constructor(url, options) {
    super();
    const { signal } = options;
    const first = { label: LABEL, ...(options.channel || {}) };
    const chosen = connectOptions(options);
    this.#channel = this.#adopt(new Channel(first.label, first));
    if (signal?.aborted) return void this.#fail(signal.reason);
    if (signal) {
      const abort = () => this.#fail(signal.reason);
      signal.addEventListener("abort", abort);
      this.#unfollow = () => signal.removeEventListener("abort", abort);
    }
    this.#start(String(url), chosen, first, options).catch((error) => this.#fail(error));
  }

  async #start(url, chosen, first, { gate, resourceBase }) {
    const Core = await load(resourceBase);
    if (this.#state === "closed") return;
    this.#core = new Core(url, first.label, first, chosen, {
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
      traced: (event) => this.#record(event),
      made: (raw, peerConnection) => {
        this.#core.peerConnection = peerConnection;
        this.#channel.attach(this.#core, raw);
      },
      incoming: (raw) => {
        const channel = this.#adopt(new Channel());
        channel.attach(this.#core, raw);
        this.#incoming.enqueue(channel);
      },
      opened: () => this.#opened(),
      pathFound: () => this.#tellPath().catch(() => {}),
      changed: (disconnected) => {
        if (this.#state !== "connecting") this.#move(disconnected ? "disconnected" : "connected");
      },
      ended: (by, error) => this.#ended(by, error && new RtcError(error)),
    });
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
      const at = performance.now() - this.#startedAt;
      this.#record({ step: "8a", side: "client", at, event: "candidate-pair", ...pair });
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
    const channel = this.#adopt(new Channel(String(label), options));
    const open = () => {
      if (channel.state !== "connecting") return;
      try {
        channel.attach(this.#core, this.#core.openChannel(channel.label, options));
      } catch (error) {
        channel.end(error);
        throw error;
      }
    };
    if (this.#state === "closed") channel.end();
    else if (this.#state === "connecting") this.#waiting.push(open);
    else open();
    return channel;
  }

  async getStats() {
    await this.#ready.promise;
    return summary(await this.#core.peerConnection.getStats());
  }

  async restartIce() {
    await this.#ready.promise;
    const core = this.#core;
    if (!core) throw new DOMException("the session is closed", "InvalidStateError");
    await new Promise((resolve, reject) =>
      core.restartIce((error) => (error ? reject(new RtcError(error)) : resolve())),
    );
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
    channel.addEventListener("close", () => this.#channels.delete(channel), { once: true });
    return channel;
  }

  #opened() {
    this.#unfollow();
    this.#move("connected");
    this.#ready.resolve();
    for (const open of this.#waiting.splice(0)) {
      // A channel that does not open says so itself.
      try {
        open();
      } catch {}
    }
  }

  #fail(error) {
    this.#ended("failure", error);
  }

  #ended(by, error) {
    if (this.#state === "closed") return;
    this.#unfollow();
    const core = this.#core;
    this.#core = undefined;
    core?.close();
    this.#trace.end();
    if (by === "failure") {
      this.#ready.reject(error);
      this.#closed.reject(error);
      this.#incoming.error(error);
    } else {
      this.#ready.reject(new DOMException("the session was closed before it was open", "AbortError"));
      this.#closed.resolve({ by, code: 0, reason: "", ...this.#closeInfo });
      this.#incoming.close();
    }
    for (const channel of [...this.#channels]) channel.end(error);
    this.#move("closed");
  }

  #move(state) {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    queueMicrotask(() => this.dispatchEvent(new Event("statechange")));
  }
}

eventHandlers(Session, "statechange");
