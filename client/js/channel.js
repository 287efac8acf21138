// A data channel with the habits of a WebSocket and the streams of WebTransport. It exists before its connection does; the
// session gives it the browser's channel as soon as there is one.

import { SendError } from "./errors.js";
import { eventHandlers } from "./events.js";
import { Deferred } from "./promise.js";

// Sending waits while so many bytes wait in the browser. Browsers close a channel in which many megabytes wait.
const HIGH_WATER = 1 << 20;

// Beyond a third of the limit, a text has to be measured: UTF-8 takes up to three bytes for each of its units.
const measure = (data, limit) => {
  if (typeof data !== "string") return data.byteLength;
  return data.length * 3 <= limit ? data.length : new Blob([data]).size;
};

export class Channel extends EventTarget {
  #label;
  #options;
  #core;
  #raw;
  #ended = false;
  #ready = new Deferred();
  #closed = new Deferred();
  // What came before anybody listened; undefined from then on.
  #early = [];
  #readable;
  #reader;
  #writable;

  constructor(label, options = {}) {
    super();
    this.#label = label;
    this.#options = options;
  }

  get label() {
    return this.#raw?.label ?? this.#label;
  }
  get id() {
    return this.#raw?.id ?? this.#options.id ?? null;
  }
  get protocol() {
    return this.#raw?.protocol ?? this.#options.protocol ?? "";
  }
  get ordered() {
    return this.#raw?.ordered ?? this.#options.ordered ?? true;
  }
  get state() {
    return this.#ended ? "closed" : (this.#raw?.readyState ?? "connecting");
  }
  get bufferedAmount() {
    return this.#raw?.bufferedAmount ?? 0;
  }
  get maxMessageSize() {
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
    if (this.#ended || !this.#raw) {
      throw new SendError({ message: "the channel is not open", kind: "not-open" });
    }
    const refusal = this.#core.send(this.#raw, data, measure(data, this.maxMessageSize ?? Infinity));
    if (refusal) throw new SendError(refusal);
  }

  close() {
    if (this.#ended) return;
    if (this.#raw) this.#core.closeChannel(this.#raw);
    else this.end();
  }

  get readable() {
    this.#readable ??= new ReadableStream({
      start: (controller) => {
        this.#reader = controller;
        this.#flush();
        if (this.#ended) controller.close();
      },
      cancel: () => {
        this.#reader = { enqueue() {}, close() {}, error() {} };
      },
    });
    return this.#readable;
  }

  get writable() {
    this.#writable ??= new WritableStream({
      write: async (chunk) => {
        await this.#ready.promise;
        while (this.bufferedAmount >= HIGH_WATER && this.state === "open") await this.#drained();
        this.send(chunk);
      },
      close: async () => {
        this.close();
        await this.#closed.promise;
      },
      abort: () => this.close(),
    });
    return this.#writable;
  }

  // Until few bytes wait, or the channel is gone.
  #drained() {
    const { promise, resolve } = new Deferred();
    this.#raw.addEventListener("bufferedamountlow", resolve, { once: true });
    return Promise.race([promise, this.#closed.promise.catch(() => {})]).finally(() =>
      this.#raw.removeEventListener("bufferedamountlow", resolve),
    );
  }

  addEventListener(type, ...rest) {
    super.addEventListener(type, ...rest);
    // As with a MessagePort's onmessage, messages that are there already come now.
    if (type === "message") queueMicrotask(() => this.#flush());
  }

  #flush() {
    const early = this.#early;
    this.#early = undefined;
    for (const data of early ?? []) this.#deliver(data);
  }

  #deliver(data) {
    if (this.#early) this.#early.push(data);
    else if (this.#reader) this.#reader.enqueue(data);
    else this.dispatchEvent(new MessageEvent("message", { data }));
  }

  // For the session: the browser's channel is there.
  attach(core, raw) {
    this.#core = core;
    this.#raw = raw;
    raw.onmessage = ({ data }) => this.#deliver(data);
    raw.onbufferedamountlow = () => this.dispatchEvent(new Event("bufferedamountlow"));
    raw.onopen = () => this.#opened();
    raw.onclose = () => this.end();
    if (raw.readyState === "open") this.#opened();
  }

  #opened() {
    this.#ready.resolve();
    this.dispatchEvent(new Event("open"));
  }

  // For the session: all is over, with the connection's failure if it was one.
  end(error) {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#raw) {
      this.#raw.onmessage = this.#raw.onbufferedamountlow = this.#raw.onopen = this.#raw.onclose = null;
    }
    this.#ready.reject(error ?? new SendError({ message: "the channel is closed", kind: "not-open" }));
    if (error) {
      this.#closed.reject(error);
      this.#reader?.error(error);
    } else {
      this.#closed.resolve();
      this.#reader?.close();
    }
    this.dispatchEvent(new Event("close"));
  }
}

eventHandlers(Channel, "open", "message", "bufferedamountlow", "close");
