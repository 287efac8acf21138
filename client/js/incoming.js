// A large transfer from the other side, as a stream that goes no faster than it is read.

// From the entry, so that there is one class of it.
import { SendError } from "./index.js";

// `until` waits for what a look at the framing yields, `pump` moves what reading it has caused.
export const incoming = (framing, [key, total, name, type], until, pump) => {
  let settle;
  const done = new Promise((resolve, reject) => (settle = { resolve, reject }));
  done.catch(() => {});
  const stop = (reason = "it is not wanted") => {
    framing.stop(key, String(reason?.message ?? reason));
    settle.reject(new SendError({ message: "the transfer was given up: it was cancelled", kind: "given-up" }));
    pump();
  };
  let over = false;
  const stream = new ReadableStream(
    {
      pull: async (controller) => {
        const read = await until(() => (over ? null : framing.read(key)));
        if (read instanceof Uint8Array) {
          controller.enqueue(read);
        } else if (over) {
          return;
        } else if (read === null) {
          over = true;
          settle.resolve();
          controller.close();
        } else {
          over = true;
          const error = new SendError({ message: `the transfer was given up: ${read}`, kind: "given-up" });
          settle.reject(error);
          controller.error(error);
        }
        pump();
      },
      cancel: (reason) => {
        over = true;
        stop(reason);
      },
    },
    { highWaterMark: 0 },
  );
  const cancel = (reason) => {
    if (over) return;
    over = true;
    stop(reason);
  };
  return { name, type, total, stream, done, cancel };
};
