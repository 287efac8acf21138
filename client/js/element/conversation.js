// What is known of the session and what was said in it, whatever of it is shown.

import { Steps } from "./steps.js";

/** How many messages are kept. */
const KEPT = 500;

/** What the session's states are called here. */
const STATUS = { connected: "open", disconnected: "silent", reconnecting: "reconnecting" };

export class Conversation {
  /** "idle", "connecting", "open", "silent", "reconnecting", "closed" or "failed". */
  status = "idle";
  /** The session, also once it is over. */
  session;
  /** The address that was connected to. */
  src = "";
  /** Why it failed. */
  error;
  /** How it was closed. */
  closeInfo;
  /** The negotiation, as its trace tells it. */
  steps = new Steps();
  /** What was said: `{ id, from: "me" | "echo" | "server", data, roundTrip }`. */
  entries = [];

  #connect;
  #changed;
  #emit;
  #run;
  #isTelling = false;
  #said = 0;
  #unanswered = [];

  /** `connect` is the package's; `changed()` is told of changes, `emit(type, detail)` of events. */
  constructor({ connect, changed, emit }) {
    this.#connect = connect;
    this.#changed = changed;
    this.#emit = emit;
  }

  /** Forgets what was said. */
  clear() {
    this.entries = [];
    this.#tell();
  }

  /** Connects. Every session that begins ends in one event: `close` or `error`. */
  start(src, options) {
    this.stop();
    const abort = new AbortController();
    const run = { abort, isOpen: false };
    this.#run = run;
    Object.assign(this, { status: "connecting", src, error: undefined, closeInfo: undefined, steps: new Steps() });
    this.#unanswered = [];
    this.#tell();

    const whileThis = (act) => (value) => this.#run === run && act(value);
    const fail = whileThis((error) => this.#end("failed", "error", error));
    try {
      this.session = this.#connect(src, { ...options, signal: abort.signal });
    } catch (error) {
      fail(error);
      return;
    }
    const { session } = this;
    const open = whileThis(() => {
      run.isOpen = true;
      this.status = "open";
      this.#tell();
      this.#emit("open", { session });
    });
    // Why it does not open, `closed` tells as well.
    session.ready.then(open, () => {});
    session.closed.then(whileThis((info) => this.#end("closed", "close", info)), fail);
    const listen = (target, type, act) =>
      target.addEventListener(type, whileThis(act), { signal: abort.signal });
    listen(session, "statechange", () => {
      if (!run.isOpen) return;
      this.status = STATUS[session.state] ?? this.status;
      this.#tell();
    });
    // What was on its way has no echo any more.
    listen(session.channel, "lost", () => (this.#unanswered = []));
    listen(session.channel, "message", ({ data }) => this.#hear(data));
    this.#follow(session, whileThis((event) => this.steps.apply(event)));
  }

  /** Closes the session, if there is one, and leaves nothing of it running. */
  stop() {
    const run = this.#run;
    if (!run) return;
    const info = { by: "local", code: 0, reason: "" };
    this.#end("closed", "close", info);
    this.session.close();
    run.abort.abort();
  }

  /** Says something; throws if that is not possible now. */
  send(text) {
    this.session.channel.send(text);
    this.#unanswered.push({ text, at: performance.now() });
    if (this.#unanswered.length > KEPT) this.#unanswered.shift();
    this.#note("me", text);
  }

  #end(status, type, detail) {
    this.#run = undefined;
    this.status = status;
    this.error = type === "error" ? detail : undefined;
    this.closeInfo = type === "close" ? detail : undefined;
    this.#tell();
    this.#emit(type, detail);
  }

  async #follow(session, apply) {
    for await (const event of session.trace) {
      if (apply(event) === false) return;
      this.#tell();
    }
  }

  /**
   * The channel is ordered: what equals the oldest of our messages that has not come back yet is its echo. All else the
   * server says of its own accord.
   */
  #hear(data) {
    const [oldest] = this.#unanswered;
    if (oldest?.text === data) {
      this.#unanswered.shift();
      this.#note("echo", data, performance.now() - oldest.at);
    } else {
      this.#note("server", data);
    }
    this.#emit("message", { data });
  }

  #note(from, data, roundTrip) {
    this.#said += 1;
    this.entries.push({ id: this.#said, from, data, roundTrip });
    if (this.entries.length > KEPT) this.entries.shift();
    this.#tell();
  }

  /** Once for all that happens at a time. */
  #tell() {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#changed();
    });
  }
}
