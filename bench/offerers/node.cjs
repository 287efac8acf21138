// Runs offerer.js in Node with a library that has the W3C's API: `node node.cjs MODULE`. Operations come as lines of JSON,
// `{"operation": …, "arguments": …}`, and draw one line each, `{"ok": …}` or `{"error": …}`.

const { createInterface } = require("node:readline");

globalThis.RTCPeerConnection = require(process.argv[2]).RTCPeerConnection;
require("./offerer.js");

const handle = async (line) => {
  const { operation, arguments: options } = JSON.parse(line);
  try {
    return { ok: await globalThis.offerer(operation, options) };
  } catch (error) {
    return { error: String(error?.message ?? error) };
  }
};

const main = async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await handle(line))}\n`);
  }
  process.exit(0);
};

main();
