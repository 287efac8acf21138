// The offerer of everything that has the W3C's API: Chromium and Firefox load it with a page, Node with node.cjs.
// `offerer(operation, arguments)` does one thing and resolves to its figures; between two calls the connection stays open.
// Times are in milliseconds.

"use strict";

// Senders stop at HIGH unsent bytes and go on at LOW.
const HIGH = 1024 * 1024;
const LOW = 256 * 1024;
// For what takes milliseconds, or a second under loss.
const DEADLINE = 15_000;
// How much a server is asked for ahead of what has come.
const AHEAD = 2 * 1024 * 1024;
// How much may be without its echo, as with the native offerer. A peer that takes faster than it sends back would otherwise have
// so much to send back at the end that it comes too late.
const UNECHOED = 512 * 1024;

let current = null;

const within = (promise, what, time = DEADLINE) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${time} ms`)), time);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const post = async (url, sdp) => {
  const response = await fetch(`${url}/offer`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ type: "offer", sdp }),
  });
  if (!response.ok) throw new Error(`the offer draws ${response.status}: ${await response.text()}`);
  return (await response.json()).sdp;
};

const gathered = (peer) =>
  new Promise((resolve) => {
    const check = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", check);
    check();
  });

// Opens a connection with one channel. `gathering` is "immediate" (the offer leaves without candidates) or "complete".
const connect = async ({ url, label = "echo", gathering = "immediate", deadline = DEADLINE }) => {
  const begun = performance.now();
  const peer = new RTCPeerConnection();
  try {
    const channel = peer.createDataChannel(label);
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = LOW;
    const opened = new Promise((resolve) => (channel.onopen = resolve));
    const offer = await peer.createOffer();
    await peer.setLocalDescription(offer);
    if (gathering === "complete") await within(gathered(peer), "gathering");
    const posted = performance.now();
    const sdp = gathering === "complete" ? peer.localDescription.sdp : offer.sdp;
    await peer.setRemoteDescription({ type: "answer", sdp: await post(url, sdp) });
    await within(opened, "the open channel", deadline);
    const open = performance.now();
    return { peer, channel, click: open - begun, post: open - posted };
  } catch (error) {
    peer.close();
    throw error;
  }
};

const closed = (channel) =>
  new Promise((resolve) => {
    if (channel.readyState === "closed") resolve();
    else channel.onclose = resolve;
  });

const quantiles = (times) => {
  const sorted = Float64Array.from(times).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const mean = sorted.reduce((sum, time) => sum + time, 0) / sorted.length;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), mean, count: sorted.length };
};

// Until the buffer is low. One library now and then does not tell, so that it is looked at as well.
const drained = (channel) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 50);
    channel.onbufferedamountlow = () => {
      clearTimeout(timer);
      resolve();
    };
  });

// Sends messages as fast as the channel drains, for `limit` ms. Resolves to how many went out.
const sendAll = async (channel, message, limit) => {
  const until = performance.now() + limit;
  for (let sent = 0; ; sent += 1) {
    const full = performance.now();
    while (channel.bufferedAmount >= HIGH) {
      if (performance.now() > full + DEADLINE) throw new Error("the buffer does not drain");
      await drained(channel);
    }
    if (performance.now() > until) return sent;
    channel.send(message);
  }
};

const operations = {
  // Connections one after the other: `least`, and up to `times` as long as `limit` ms are not over.
  async connect({ times, least, limit, ...options }) {
    const [click, postToOpen] = [[], []];
    const until = performance.now() + limit;
    for (let time = 0; time < times && (time < least || performance.now() < until); time += 1) {
      const { peer, channel, click: one, post: other } = await connect(options);
      click.push(one);
      postToOpen.push(other);
      channel.close();
      await Promise.race([closed(channel), new Promise((resolve) => setTimeout(resolve, 100))]);
      peer.close();
    }
    return { click: quantiles(click), post: quantiles(postToOpen) };
  },

  // Opens the connection that the following operations use.
  async open(options) {
    operations.close();
    current = await connect(options);
    return { click: current.click, post: current.post };
  },

  close() {
    current?.peer.close();
    current = null;
    return {};
  },

  // One message at a time, for `limit` ms.
  async roundtrip({ size, limit }) {
    const { channel } = current;
    const message = new Uint8Array(size);
    const times = [];
    const all = new Promise((resolve) => {
      let sent = performance.now();
      const until = sent + limit;
      channel.onmessage = () => {
        const now = performance.now();
        times.push(now - sent);
        if (now >= until) return resolve();
        sent = now;
        channel.send(message);
      };
      channel.send(message);
    });
    await within(all, "the echoes", limit + DEADLINE);
    return quantiles(times);
  },

  // Messages for `limit` ms, `count` at most. All come back; the clock stops with the last echo, or if `cut`, at the limit.
  async echo({ size, count = Infinity, limit, cut = false }) {
    const { channel } = current;
    const message = new Uint8Array(size);
    const most = count * size;
    const begun = performance.now();
    const until = begun + limit;
    let [sent, received] = [0, 0];
    const send = () => {
      while (sent < most && (sent === received || sent + size <= received + UNECHOED) && performance.now() < until) {
        channel.send(message);
        sent += size;
      }
    };
    const all = new Promise((resolve) => {
      channel.onmessage = ({ data }) => {
        received += data.byteLength;
        send();
        if (received >= sent) resolve();
      };
      if (cut) setTimeout(resolve, limit);
    });
    send();
    await within(all, "the echoes", limit + DEADLINE);
    return { milliseconds: performance.now() - begun, bytes: received };
  },

  // To a channel labelled `sink`; the clock stops when the server has counted all of it.
  async up({ size, limit }) {
    const { channel } = current;
    const counted = () => {
      const reply = new Promise((resolve) => (channel.onmessage = ({ data }) => resolve(Number(data))));
      channel.send("report");
      return within(reply, "the count", DEADLINE);
    };
    const before = await counted();
    const begun = performance.now();
    const sent = await sendAll(channel, new Uint8Array(size), limit);
    const bytes = (await counted()) - before;
    if (bytes !== sent * size) throw new Error(`${sent * size} bytes were sent, and ${bytes} counted`);
    return { milliseconds: performance.now() - begun, bytes };
  },

  // From a channel labelled `source`, which is asked for more before it runs dry, for `limit` ms.
  async down({ size, limit }) {
    const { channel } = current;
    const batch = AHEAD / 4 / size;
    const begun = performance.now();
    const until = begun + limit;
    let [received, asked] = [0, 0];
    const ask = () => {
      while (asked - received < AHEAD && performance.now() < until) {
        channel.send(`${size} ${batch}`);
        asked += batch * size;
      }
    };
    const all = new Promise((resolve) => {
      channel.onmessage = ({ data }) => {
        received += data.byteLength;
        if (asked - received <= AHEAD - batch * size) ask();
        if (received >= asked) resolve();
      };
    });
    ask();
    await within(all, "the bytes", limit + DEADLINE);
    return { milliseconds: performance.now() - begun, bytes: received };
  },
};

globalThis.offerer = async (operation, options) => operations[operation](options);
