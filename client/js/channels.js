// The channels of a session: the first one, made with each connection; those that the page opens, opened on each; and those of
// the other side, which are of one connection.

import { Channel } from "./channel.js";

// How long a closed channel may wait for the news that its session has ended with it, in milliseconds. A resumable one says so
// itself when it ends for good, so that it can wait for a server that closes one channel after the other as it stops.
const GRACE = 250;
const RESUMABLE_GRACE = 5000;

export class Channels {
  #resourceBase;
  #stays;
  // Those that live.
  #all = new Set();
  // How to open each on the next connection.
  #openers = new Map();
  // Those of the other side that nobody has read. In the stream's own queue they would be out of reach.
  #unread = [];
  // What becomes of the next of them, once somebody asks.
  #take;
  #reader;

  incoming = new ReadableStream(
    {
      start: (controller) => (this.#reader = controller),
      pull: (controller) => {
        this.#take = (channel) => {
          this.#take = undefined;
          controller.enqueue(channel);
        };
        this.#hand();
      },
      cancel: () => {
        this.#reader = undefined;
        this.#take = (channel) => channel.close();
        this.#hand();
      },
    },
    { highWaterMark: 0 },
  );

  constructor(first, resourceBase, stays) {
    this.#resourceBase = resourceBase;
    this.#stays = stays;
    this.first = this.#make(first.label, first);
  }

  #make(label, options) {
    const grace = this.#stays && (options.resumable ? RESUMABLE_GRACE : GRACE);
    const channel = new Channel(label, { ...options, resourceBase: this.#resourceBase, grace });
    this.#all.add(channel);
    channel.addEventListener("close", () => this.#all.delete(channel) && this.#openers.delete(channel));
    return channel;
  }

  // One that the page opens: now, if there is a connection, and on each that follows.
  open(label, init, options, core) {
    const channel = this.#make(label, options);
    const open = (core) => {
      if (channel.state !== "connecting") return;
      try {
        channel.attach(core, core.openChannel(label, init));
      } catch (error) {
        channel.end(error);
        throw error;
      }
    };
    this.#openers.set(channel, open);
    if (core) open(core);
    return channel;
  }

  // One that the other side has opened.
  add(core, raw) {
    const channel = this.#make(undefined, {});
    channel.attach(core, raw);
    this.#unread.push(channel);
    // Not from within the module, where channels close.
    queueMicrotask(() => this.#hand());
  }

  #hand() {
    while (this.#take && this.#unread.length) this.#take(this.#unread.shift());
  }

  // Whether there is one to go on with.
  get areLeft() {
    return this.#openers.size || this.first.state !== "closed";
  }

  // There is a connection.
  attach(core) {
    // The page has closed it meanwhile.
    if (this.first.state === "closed") core.closeChannel(core.first);
    for (const open of [...this.#openers.values()]) {
      // A channel that does not open says so itself.
      try {
        open(core);
      } catch {}
    }
  }

  // It is gone, and there will be another one.
  detach(...failure) {
    for (const channel of [...this.#all]) {
      if (channel === this.first || this.#openers.has(channel)) channel.detach();
      else channel.end(...failure);
    }
  }

  // There will be none. What has come can still be read, unless that has failed.
  end(...failure) {
    if (failure.length) this.#reader?.error(failure[0]);
    else {
      for (const channel of this.#unread.splice(0)) this.#reader?.enqueue(channel);
      this.#reader?.close();
    }
    for (const channel of [...this.#all]) channel.end(...failure);
  }
}
