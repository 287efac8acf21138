// A large transfer from the other side, as a stream that goes no faster than it is read.

// From the entry, so that there is one class of it.
import { SendError } from "./index.js";

// `until` waits for what a look at the framing yields, `pump` moves what reading it has caused.
export const incoming = (framing, [key, total, name, type], until, pump) => {
  let settle;
  const done = new Promise((resolve, reject) => (settle = { resolve, reject }));
  done.catch(() => {});
  let over = false;
  let controller;
  const fail = (reason) => {
    over = true;
    const error = new SendError({ message: `the transfer was given up: ${reason}`, kind: "given-up" });
    settle.reject(error);
    controller.error(error);
  };
  const cancel = (reason = "it is not wanted") => {
    if (over) return;
    framing.stop(key, String(reason?.message ?? reason));
    fail("it was cancelled");
    pump();
  };
  const stream = new ReadableStream(
    {
      start: (of) => (controller = of),
      pull: async () => {
        const read = await until(() => (over ? null : framing.read(key)));
        if (over) return;
        if (read instanceof Uint8Array) {
          controller.enqueue(read);
        } else if (read === null) {
          over = true;
          settle.resolve();
          controller.close();
        } else {
          fail(read);
        }
        pump();
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  return { name, type, total, stream, done, cancel };
};
