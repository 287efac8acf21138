// A data channel with the habits of a WebSocket and the streams of WebTransport. It exists before its connection does; the
// session gives it the browser's channel as soon as there is one.

import { SendError, unloaded } from "./errors.js";
import { eventHandlers } from "./events.js";
import { modeOf } from "./modes.js";
import { Deferred } from "./promise.js";
import { Sent, measure } from "./sent.js";

// Sending waits while so many bytes wait in the browser. Browsers close a channel in which many megabytes wait.
const HIGH_WATER = 1 << 20;

const refuse = (kind, message) => {
  throw new SendError({ kind, message });
};

export class Channel extends EventTarget {
  #label;
  #options;
  #core;
  #raw;
  // Why nothing is sent any more.
  #ended;
  #ready = new Deferred();
  #closed = new Deferred();
  // What came before anybody listened; undefined from then on.
  #early = [];
  #readable;
  #reader;
  #writable;
  #writer;
  // What speaks the framing, if the channel asks for it: a promise, then what it yields.
  #framing;
  #framed;
  #incomingLarge;
  #sent = new Sent();
  // Wakes the writer that waits for room, or for a connection.
  #low;
  // The page wants it no more, and no other connection is to open it again.
  #closing;
  // The largest message that the other side takes, once the channel is open: a browser takes its time to tell.
  #limit = Infinity;
  // So many bytes at least may still wait in the browser; it is asked for its bufferedAmount only when they are sent.
  #room = 0;

  constructor(label, options = {}) {
    super();
    this.#label = label;
    this.#options = options;
    if (options.large || options.resumable) this.#load(true, options);
  }

  // Loads what speaks the framing.
  #load(isOpener, { resumable, resourceBase }) {
    const host = {
      open: () => this.#opened(),
      message: (data) => this.#deliver(data),
      // As much as the stream has; else any, once there is a listener.
      hasRoom: () => (this.#reader?.desiredSize ?? !this.#early) > 0,
      undelivered: (messages) => this.dispatchEvent(Object.assign(new Event("undelivered"), { messages })),
      drained: () => this.#drained(),
      ended: (reason) => this.#left(reason),
    };
    this.#framing = import("./framed.js")
      .then(async ({ Framed, load }) => {
        await load(resourceBase);
        this.#framed = new Framed(host, { isOpener, isResumable: !!resumable });
        if (this.#ended) this.#framed.giveUp();
        return this.#framed;
      })
      .catch(unloaded("channel", "8d"));
    this.#framing.catch((error) => {
      // The first one is the session's to close, once it is open.
      if (this.#raw !== this.#core?.first) this.#core.closeChannel(this.#raw);
      this.end(error);
    });
  }

  get label() {
    return this.#raw?.label ?? this.#label;
  }
  get id() {
    return this.#raw?.id ?? this.#options.id ?? null;
  }
  get protocol() {
    return modeOf(this.#raw?.protocol ?? this.#options.protocol ?? "").own;
  }
  get ordered() {
    return this.#raw?.ordered ?? this.#options.ordered ?? true;
  }
  get state() {
    if (this.#ended) return "closed";
    const state = this.#raw?.readyState;
    // One that is closed and has not ended may come back.
    return !state || state === "closed" || (this.#framing && !this.#ready.isDone) ? "connecting" : state;
  }
  get bufferedAmount() {
    return this.#framed?.bufferedAmount ?? this.#raw?.bufferedAmount ?? 0;
  }
  get maxMessageSize() {
    if (this.#framing) return this.#framed?.maxMessageSize;
    const size = this.#core?.peerConnection.sctp?.maxMessageSize;
    return Number.isFinite(size) ? size : undefined;
  }
  get ready() {
    return this.#ready.promise;
  }
  get closed() {
    return this.#closed.promise;
  }

  send(data) {
    if (typeof data !== "string" && !(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) {
      throw new TypeError("send takes a string, an ArrayBuffer or a view of one");
    }
    if (this.#framed && !this.#ended) return this.#framed.send(data);
    const raw = this.#raw;
    // Here, and not in the module: each question to the browser from there would cost more than sending does.
    if (this.#ended || this.#framing || raw?.readyState !== "open") refuse("not-open", "the channel is not open");
    const limit = this.#limit;
    // How many messages are lost, their exact sizes tell.
    const size = measure(data, this.#options.grace ? 0 : limit);
    if (size > limit) {
      refuse("too-large", `the message has ${size} bytes, and the other side takes at most ${limit}`);
    }
    if (this.#room <= 0) {
      const buffered = raw.bufferedAmount;
      if (buffered >= HIGH_WATER) refuse("full", `${buffered} bytes already wait to be sent`);
      this.#room = HIGH_WATER - buffered;
    }
    try {
      raw.send(data);
    } catch (cause) {
      refuse("js", `the browser did not send the message: ${cause}`);
    }
    this.#room -= 3 * size;
    if (this.#options.grace) this.#sent.add(size, raw.bufferedAmount);
  }

  close() {
    if (this.#ended) return;
    if (this.#framed) return this.#framed.close();
    if (!this.#raw) return this.end();
    this.#closing = true;
    this.#core.closeChannel(this.#raw);
  }

  get readable() {
    return (this.#readable ??= new ReadableStream({
      start: (controller) => {
        this.#reader = controller;
        this.#flush();
        this.#closed.promise.then(() => controller.close()).catch((error) => controller.error(error));
      },
      pull: () => this.#framed?.pull(),
      cancel: () => {
        this.#reader = { desiredSize: 1, enqueue() {} };
        this.#framed?.pull();
      },
    }));
  }

  get writable() {
    return (this.#writable ??= new WritableStream({
      start: (controller) => {
        this.#writer = controller;
        if (this.#ended) controller.error(this.#ended.error);
      },
      write: async (chunk, { signal }) => {
        // After each wait it may be another connection's, or none. One that is closing may be followed by another, too.
        while (!this.#ended && (this.state !== "open" || this.bufferedAmount >= HIGH_WATER)) {
          await new Promise((resolve, reject) => {
            this.#low = resolve;
            // Who aborts waits for the write.
            signal.onabort = () => reject(signal.reason);
          });
        }
        if (this.#ended) throw this.#ended.error;
        this.send(chunk);
      },
      close: async () => {
        this.close();
        await this.#closed.promise;
      },
      abort: () => this.close(),
    }));
  }

  #drained() {
    this.#low?.();
    this.dispatchEvent(new Event("bufferedamountlow"));
  }

  addEventListener(type, ...rest) {
    super.addEventListener(type, ...rest);
    // As with a MessagePort's onmessage, messages that are there already come now.
    if (type === "message") queueMicrotask(() => this.#flush());
  }

  #flush() {
    const early = this.#early;
    this.#early = undefined;
    early?.forEach((data) => this.#deliver(data));
    this.#framed?.pull();
  }

  #deliver(data) {
    if (this.#early) this.#early.push(data);
    else if (this.#reader) this.#reader.enqueue(data);
    else this.dispatchEvent(new MessageEvent("message", { data }));
  }

  // Sends what may be larger than any message, beside the messages.
  async sendLarge(data, options) {
    return (await this.#speaker()).sendLarge(data, options, this.#ready.promise);
  }

  get incomingLarge() {
    return (this.#incomingLarge ??= new ReadableStream(
      {
        pull: async (controller) => (await this.#speaker()).accept(controller),
        cancel: () => this.#framing?.then((framed) => framed.refuse()),
      },
      { highWaterMark: 0 },
    ));
  }

  #speaker() {
    if (this.#framing) return this.#framing;
    refuse("not-framed", "the channel needs large or resumable");
  }

  // For the session: the browser's channel is there, the first one or the next.
  attach(core, raw) {
    if (this.#ended) return;
    this.#core = core;
    this.#raw = raw;
    // For worker.js, in the only turn in which it can be transferred.
    this.#options.made?.(raw);
    if (!this.#framing && modeOf(raw.protocol).framed) this.#load(false, this.#options);
    let opened = () => this.#opened();
    raw.onmessage = ({ data }) => this.#deliver(data);
    raw.onclose = () => this.#lost(raw);
    if (this.#framing) {
      // What comes while the framing is loaded waits for it.
      const early = [];
      raw.onmessage = ({ data }) => early.push(data);
      opened = () =>
        this.#framing.then((framed) => {
          if (this.#raw !== raw || framed.isOver) return;
          framed.attach(raw);
          raw.onmessage = ({ data }) => framed.handle(data);
          early.forEach((data) => framed.handle(data));
        }, () => core.closeChannel(raw));
    } else raw.onbufferedamountlow = () => this.#drained();
    // One that the other side opens is open before it says so.
    if (raw.readyState === "open") opened();
    else raw.onopen = opened;
  }

  #opened() {
    if (this.#closing) return;
    this.#limit = this.maxMessageSize ?? Infinity;
    this.#ready.resolve();
    this.#low?.();
    this.dispatchEvent(new Event("open"));
  }

  // The browser's channel has closed. What becomes of the session, if that comes back, shows shortly.
  #lost(raw) {
    const { grace } = this.#options;
    if (!grace || this.#closing) return this.end();
    this.#renew();
    this.#framed?.detach();
    setTimeout(() => this.#raw === raw && this.end(), grace);
  }

  // The framing has ended, with the name of what was wrong if anything was.
  #left(reason) {
    if (this.#raw) this.#core.closeChannel(this.#raw);
    if (reason) this.end(new SendError({ kind: "closed", message: `the channel ended: ${reason}` }));
    else this.end();
  }

  #release() {
    const raw = this.#raw;
    if (raw) raw.onmessage = raw.onbufferedamountlow = raw.onopen = raw.onclose = null;
  }

  // Who waits goes on waiting, and who will, waits for the next connection.
  #renew() {
    if (this.#ready.isDone) this.#ready = new Deferred();
    this.#low?.();
  }

  // For the session: the connection with the browser's channel is gone.
  forget() {
    if (this.#closing) return this.end();
    this.#release();
    this.#raw = this.#core = undefined;
  }

  // For the session: the connection is gone, and another one will be made.
  detach() {
    if (this.#ended || !this.#raw) return;
    const waited = this.#raw.bufferedAmount;
    this.#framed?.detach();
    this.forget();
    if (this.#ended) return;
    this.#renew();
    // Of what had left the browser nobody knows; what waited in it is lost.
    if (!this.#framing) this.dispatchEvent(Object.assign(new Event("lost"), { count: this.#sent.take(waited) }));
  }

  // For the session: all is over, with the connection's failure if it was one, which may be any value that a page throws.
  end(...failure) {
    if (this.#ended) return;
    const error = failure.length ? failure[0] : new SendError({ kind: "not-open", message: "the channel is closed" });
    this.#ended = { error };
    this.#framed?.giveUp();
    this.#release();
    this.#low?.();
    this.#ready.reject(error);
    this.#writer?.error(error);
    if (failure.length) this.#closed.reject(error);
    else this.#closed.resolve();
    this.dispatchEvent(new Event("close"));
  }
}

eventHandlers(Channel, "open", "message", "bufferedamountlow", "close", "undelivered", "lost");
