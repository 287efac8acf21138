// A large transfer to the other side, which goes no faster than it is taken.

import { view } from "./bytes.js";
// From the entry, so that there is one class of it.
import { SendError } from "./index.js";

// What is handed to the module at a time.
const PIECE = 64 * 1024;

const fail = (reason) => {
  throw new SendError({ message: `the transfer was given up: ${reason}`, kind: "given-up" });
};

// `until` waits for what a look at the framing yields, `pump` moves what has been written.
export const outgoing = async (framing, data, options, ready, until, pump, isOver) => {
  const { signal, onprogress, name, type } = options ?? {};
  const stream = data instanceof Blob ? data.stream() : data;
  // What cannot be sent is refused before the transfer begins.
  const reader = stream instanceof ReadableStream ? stream.getReader() : undefined;
  const bytes = reader ? undefined : view(data);
  const total = data.size ?? bytes?.byteLength;
  const cancel = (error) => reader?.cancel(error).catch(() => {});
  const check = () => {
    if (signal?.aborted) throw signal.reason;
    if (isOver()) fail("the channel has ended");
  };
  let abort;
  const aborted = new Promise((_, reject) => (abort = reject));
  // Its own, as several may have one signal.
  const wake = () => {
    abort(signal.reason);
    pump();
  };
  signal?.addEventListener("abort", wake);
  let key;
  let last;
  let isGivenUp = false;
  // Under way: undefined; else whether it has arrived.
  const look = (isEnough) => {
    const failure = framing.failure(key);
    if (failure !== undefined) fail(failure);
    const sent = framing.sent(key);
    if (sent === undefined) return true;
    if (sent !== last) onprogress?.({ sent: (last = sent), total });
    check();
    return isEnough() || undefined;
  };
  try {
    check();
    await Promise.race([ready, aborted]);
    key = await until(() => {
      check();
      return framing.start(total, name ?? data.name ?? "", type ?? data.type ?? "");
    });
    const over = until(() => look(() => false));
    // Also ends the wait for a stream from which nothing comes.
    over.catch((error) => {
      isGivenUp = true;
      cancel(error);
    });
    // It begins before there is anything of it.
    pump();
    for (let offset = 0; ; ) {
      const piece = reader
        ? await reader.read()
        : { done: offset >= total, value: bytes.subarray(offset, (offset += PIECE)) };
      if (isGivenUp) await over;
      if (piece.done) break;
      const value = view(piece.value);
      for (let at = 0; at < value.byteLength; at += PIECE) {
        await until(() => look(() => framing.hasRoom(key)));
        framing.write(key, value.subarray(at, at + PIECE));
        pump();
      }
    }
    framing.finish(key);
    pump();
    await over;
    if (total !== undefined && last !== total) onprogress?.({ sent: total, total });
  } catch (error) {
    framing.reset(key, String(error?.message ?? error));
    cancel(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", wake);
    framing.forget(key);
    pump();
  }
};
