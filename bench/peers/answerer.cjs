// What the answerers in Node have in common: the HTTP they speak, and what the labels of channels mean (README.md).

const { createServer } = require("node:http");

// Senders stop at HIGH unsent bytes and go on at LOW.
const HIGH = 1024 * 1024;
const LOW = 256 * 1024;

const HEADERS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "content-type",
  "Access-Control-Max-Age": "7200",
};

const read = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

// Serves `answer`, which makes an answer's SDP of an offer's, and prints the port.
const serve = (answer) => {
  const index = process.argv.indexOf("--port");
  const port = index < 0 ? 0 : Number(process.argv[index + 1]);
  const server = createServer(async (request, response) => {
    if (request.method !== "POST") return response.writeHead(204, HEADERS).end();
    try {
      const { sdp } = JSON.parse(await read(request));
      const body = JSON.stringify({ type: "answer", sdp: await answer(sdp) });
      response.writeHead(201, { ...HEADERS, "Content-Type": "application/json" }).end(body);
    } catch (error) {
      console.error(error);
      response.writeHead(500, HEADERS).end(String(error));
    }
  });
  server.keepAliveTimeout = 600_000;
  server.listen(port, "0.0.0.0", () => console.log(server.address().port));
};

// One channel's work. `line` is `{ label, send(data), buffered() }`; the caller tells of messages and of `low`.
class Work {
  #line;
  #waiting = [];
  #next = 0;
  #received = 0;

  constructor(line) {
    this.#line = line;
  }

  message(data) {
    const { label } = this.#line;
    if (label === "sink") return this.#sink(data);
    if (label === "source") return this.#source(data);
    this.#waiting.push(data);
    this.low();
  }

  // Sends what waits, as far as it may.
  low() {
    while (this.#next < this.#waiting.length && this.#line.buffered() < HIGH) {
      this.#line.send(this.#waiting[this.#next]);
      this.#waiting[this.#next] = undefined;
      this.#next += 1;
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
  }

  #sink(data) {
    if (typeof data === "string") this.#line.send(String(this.#received));
    else this.#received += data.byteLength;
  }

  #source(request) {
    const [size, count] = String(request).split(" ").map(Number);
    const message = Buffer.alloc(size, 1);
    for (let left = count; left > 0; left -= 1) this.#waiting.push(message);
    this.low();
  }
}

module.exports = { LOW, Work, serve };
