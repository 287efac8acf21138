// Connects to a server as a libdatachannel offerer: `node offerer.cjs https://127.0.0.1:8443 certificate.pem`.
//
// Ends with an error unless every message comes back unchanged, and the channel labelled `chat` greets.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { request } = require("node:https");
const rtc = require("node-datachannel");

const ROUNDS = 5;
const SIZES = [0, 1, 1_200, 16_384, 65_536];
const DEADLINE = 15_000; // for what takes milliseconds

const [server, certificate] = process.argv.slice(2);
const ca = readFileSync(certificate);

// A text and a binary message of each size.
const messages = SIZES.flatMap((size) => [
  size === 1 ? "x" : "ñ".repeat(size / 2),
  Buffer.from(Uint8Array.from({ length: size }, (_, index) => index % 251)),
]);

const within = (promise, what) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${DEADLINE} ms`)), DEADLINE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

// Sends the offer as the original demo's page does. Returns the answer and the session's id.
const post = (sdp) =>
  new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    const call = request(`${server}/offer`, { method: "POST", headers, ca }, (reply) => {
      let body = "";
      reply.on("data", (chunk) => (body += chunk));
      reply.on("end", () => {
        if (reply.statusCode !== 201) return reject(new Error(`${reply.statusCode}: ${body}`));
        resolve({ answer: JSON.parse(body), session: reply.headers.location.split("/").at(-1) });
      });
    });
    call.on("error", reject);
    call.end(JSON.stringify({ sdp, type: "offer" }));
  });

// One connection with one channel.
class Connection {
  #inbox = [];
  #waiting = null;

  async open(label) {
    this.peer = new rtc.PeerConnection("offerer", { iceServers: [] });
    const gathered = new Promise((resolve) => {
      this.peer.onGatheringStateChange((state) => state === "complete" && resolve());
    });
    this.channel = this.peer.createDataChannel(label);
    this.channel.onMessage((message) => {
      this.#inbox.push(message);
      this.#waiting?.();
    });
    const opened = new Promise((resolve) => this.channel.onOpen(resolve));
    await within(gathered, "gathering");

    const begun = performance.now();
    const { answer, session } = await post(this.peer.localDescription().sdp);
    this.peer.setRemoteDescription(answer.sdp, answer.type);
    await within(opened, "the open channel");
    this.milliseconds = performance.now() - begun;
    this.session = session;
  }

  async receive() {
    while (this.#inbox.length === 0) {
      await within(new Promise((resolve) => (this.#waiting = resolve)), "a message");
    }
    return this.#inbox.shift();
  }

  async checkEcho() {
    for (const message of messages) {
      if (typeof message === "string") this.channel.sendMessage(message);
      else this.channel.sendMessageBinary(message);
    }
    for (const message of messages) {
      const echo = await this.receive();
      assert.equal(typeof echo, typeof message);
      assert.equal(echo.length ?? echo.byteLength, message.length);
      assert.ok(typeof message === "string" ? echo === message : message.equals(Buffer.from(echo)));
    }
  }

  close() {
    this.channel.close();
    this.peer.close();
  }
}

const main = async () => {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const connection = new Connection();
    await connection.open(round === 0 ? "chat" : "any");
    if (round === 0) {
      const greeting = await connection.receive();
      assert.ok(greeting.includes(connection.session), greeting);
    }
    await connection.checkEcho();
    connection.close();
    times.push(connection.milliseconds.toFixed(0));
  }
  const version = rtc.getLibraryVersion();
  console.log(`libdatachannel ${version}: ${ROUNDS} connections, from POST to open ${times.join(" ")} ms`);
};

// Not by `cleanup()`, which in this version ends some runs with a failed assertion in the binding.
main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
