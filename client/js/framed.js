// The framing (docs/framing.md) between a channel and the browser's: messages of any size, large transfers, resumption. An
// entry of its own, with a module of its own, which are loaded when a channel asks for them.

import { joined, view } from "./bytes.js";
import { loader } from "./compile.js";
import { Framing, initSync } from "./framing_glue.js";
// From the entry, so that there is one class of it.
import { SendError } from "./index.js";
import { incoming } from "./incoming.js";
import { outgoing } from "./outgoing.js";

// As in the channel: sending waits while so many bytes wait in the browser.
const HIGH_WATER = 1 << 20;

const beside = () => new URL("./hola_framing.wasm", import.meta.url);

export const load = loader("hola_framing.wasm", beside, initSync);

const decoder = (fatal) => new TextDecoder("utf-8", { fatal, ignoreBOM: true });
const strict = decoder(true);
const encoder = new TextEncoder();
const now = () => Math.floor(performance.now());

export class Framed {
  #framing;
  #host;
  #raw;
  #timer;
  #waiting = new Set();
  #wasOpen = false;
  #wasFull = false;
  #isOver = false;
  #refuses = false;

  // The host is told: open(), message(data), undelivered(messages), drained(), ended(reason); and asked: hasRoom().
  constructor(host, { isOpener, isResumable }) {
    this.#host = host;
    this.#framing = new Framing(isOpener, isResumable ? crypto.getRandomValues(new Uint8Array(16)) : undefined);
  }

  get bufferedAmount() {
    return this.#framing.buffered() + (this.#raw?.bufferedAmount ?? 0);
  }
  get maxMessageSize() {
    const size = this.#framing.maxMessage();
    // Without a bound, and while it is not known.
    return size === 0xffffffff ? undefined : size;
  }
  get isOver() {
    return this.#isOver;
  }

  // The browser's channel is open.
  attach(raw) {
    this.#raw = raw;
    this.#wasOpen = false;
    this.#framing.attach();
    raw.addEventListener("bufferedamountlow", this.#pump);
    this.#pump();
  }

  // It is gone.
  detach() {
    if (!this.#raw) return;
    this.#raw.removeEventListener("bufferedamountlow", this.#pump);
    this.#raw = undefined;
    this.#framing.detach();
    this.#pump();
  }

  handle(data) {
    if (typeof data === "string") this.#framing.handleText();
    else this.#framing.handle(now(), data);
    this.#pump();
  }

  send(data) {
    const isText = typeof data === "string";
    if (this.bufferedAmount >= HIGH_WATER) {
      throw new SendError({ message: `${this.bufferedAmount} bytes already wait to be sent`, kind: "full" });
    }
    const bytes = isText ? encoder.encode(data) : view(data);
    const refusal = this.#framing.send(isText, bytes);
    if (refusal === 0) throw new SendError({ message: "the channel is not open", kind: "not-open" });
    if (refusal) {
      const message = `the message has ${bytes.byteLength} bytes, and the other side takes at most ${refusal}`;
      throw new SendError({ message, kind: "too-large" });
    }
    this.#pump();
  }

  // Once everything is delivered.
  close() {
    this.#framing.close();
    this.#pump();
  }

  // Nothing will follow.
  giveUp() {
    this.#framing.giveUp();
    this.#pump();
  }

  // The host has room again.
  pull() {
    this.#pump();
  }

  // Moves what can be moved, and tells what has changed.
  #pump = () => {
    if (this.#isOver) return;
    const framing = this.#framing;
    this.#send();
    if (!this.#wasOpen && framing.isOpen()) {
      this.#wasOpen = true;
      this.#host.open();
    }
    this.#tellUndelivered();
    // What came before the end is the host's: the other side counts it as arrived, and nothing follows.
    const mayReceive = () => this.#host.hasRoom() || framing.ended() !== undefined;
    for (let parts; mayReceive() && (parts = framing.receive()); ) this.#receive(parts);
    this.#wake();
    // What was read grants credit, and what was woken may have written.
    this.#send();
    this.#wasFull ||= this.bufferedAmount >= HIGH_WATER;
    if (this.#wasFull && this.bufferedAmount <= HIGH_WATER / 4) {
      this.#wasFull = false;
      this.#host.drained();
    }
    const ended = framing.ended();
    if (ended === undefined) this.#wait();
    else if (!this.#isOver) this.#end(ended);
  };

  // Not from a copy: one may settle another, by what the page does when it is told of progress.
  #wake() {
    for (const wake of this.#waiting) wake();
  }

  #send() {
    try {
      if (this.#raw?.readyState === "open") this.#framing.pump(this.#raw, now(), HIGH_WATER);
    } catch {
      // The browser's channel closes, and says so itself.
    }
  }

  #receive([isText, ...parts]) {
    if (!isText) {
      this.#host.message((parts.length === 1 ? parts[0].slice() : joined(parts)).buffer);
      return;
    }
    let text;
    try {
      text = strict.decode(parts.length === 1 ? parts[0] : joined(parts));
    } catch {
      return this.#framing.notUtf8();
    }
    this.#host.message(text);
  }

  #tellUndelivered() {
    const undelivered = this.#framing.takeUndelivered();
    if (!undelivered.length) return;
    this.#host.undelivered(
      undelivered.map(([isText, data, isWhole]) => ({
        data: isText ? decoder().decode(data) : data.buffer,
        isWhole,
      })),
    );
  }

  #wait() {
    clearTimeout(this.#timer);
    // While the browser has no room, it is room that is waited for.
    const hasRoom = this.#raw?.readyState === "open" && this.#raw.bufferedAmount < HIGH_WATER;
    const due = hasRoom ? this.#framing.due() : undefined;
    if (due !== undefined) this.#timer = setTimeout(this.#pump, Math.max(due - now(), 0));
  }

  #end(reason) {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#raw?.removeEventListener("bufferedamountlow", this.#pump);
    this.#wake();
    this.#host.ended(reason);
  }

  // Until there is a result, which is looked for after each change.
  #until(look) {
    return new Promise((resolve, reject) => {
      const wake = () => {
        let result;
        try {
          result = look();
        } catch (error) {
          this.#waiting.delete(wake);
          return reject(error);
        }
        if (result === undefined) return;
        this.#waiting.delete(wake);
        resolve(result);
      };
      this.#waiting.add(wake);
      wake();
    });
  }

  // Once it is ready.
  async sendLarge(data, options, ready) {
    const until = (look) => this.#until(look);
    await outgoing(this.#framing, data, options, ready, until, this.#pump, () => this.#isOver);
  }

  // Hands the next transfer that comes to a stream; closes that once the channel has ended.
  async accept(controller) {
    const framing = this.#framing;
    const next = () => (this.#refuses ? null : (framing.accept() ?? (this.#isOver ? null : undefined)));
    const accepted = await this.#until(next);
    if (accepted) controller.enqueue(incoming(framing, accepted, (look) => this.#until(look), this.#pump));
    else controller.close();
  }

  // Takes no transfer any more.
  refuse() {
    this.#refuses = true;
    this.#until(() => {
      for (let it; (it = this.#framing.accept()); ) this.#framing.stop(it[0], "it is not wanted");
      return this.#isOver || undefined;
    });
    this.#pump();
  }
}
