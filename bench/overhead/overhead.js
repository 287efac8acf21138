// The same work over a connection of the client and over one made by hand, on one page and to one server, in turns: what
// happens on the machine meanwhile hits both. The result is in `window.overhead`, a fault in `window.fault`.

import { connect } from "./pkg/index.js";

const SERVER = "https://localhost:8443";
/** On any label but `chat` the server only echoes. */
const LABEL = "overhead";
/** As in the client. */
const HIGH_WATER = 1024 * 1024;
const LOW_WATER = HIGH_WATER / 4;

const given = new URLSearchParams(location.search);
const number = (name) => Number(given.get(name));

/** A channel of the package. */
async function byClient() {
  const session = connect(`${SERVER}/`, { channel: { label: LABEL } });
  await session.ready;
  return session.channel;
}

/** A channel as the standard's own examples make it. */
async function byHand() {
  const peer = new RTCPeerConnection();
  const channel = peer.createDataChannel(LABEL);
  channel.bufferedAmountLowThreshold = LOW_WATER;
  channel.binaryType = "arraybuffer";
  const open = new Promise((resolve) => (channel.onopen = resolve));
  await peer.setLocalDescription();
  const { type, sdp } = peer.localDescription;
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(`${SERVER}/offer`, { method: "POST", headers, body: JSON.stringify({ type, sdp }) });
  await peer.setRemoteDescription(await reply.json());
  await open;
  // Without a reference it may be collected.
  channel.peer = peer;
  return channel;
}

/** Milliseconds for so many messages, each sent when the echo of the one before is there. */
function roundTrips(channel, bytes, count) {
  const message = new Uint8Array(bytes);
  return new Promise((resolve) => {
    let left = count;
    const begun = performance.now();
    channel.onmessage = ({ data }) => {
      if (data.byteLength !== bytes) throw new Error(`${data.byteLength} bytes came back, not ${bytes}`);
      left -= 1;
      if (left === 0) resolve(performance.now() - begun);
      else channel.send(message);
    };
    channel.send(message);
  });
}

/** Milliseconds until so many bytes are there and back, with never much more than a mebibyte waiting to leave. */
function transfer(channel, bytes, total) {
  const message = new Uint8Array(bytes);
  return new Promise((resolve) => {
    let [unsent, unheard] = [total, total];
    const begun = performance.now();
    channel.onmessage = ({ data }) => {
      unheard -= data.byteLength;
      if (unheard <= 0) resolve(performance.now() - begun);
    };
    const fill = () => {
      while (unsent > 0 && channel.bufferedAmount < HIGH_WATER) {
        channel.send(message);
        unsent -= bytes;
      }
    };
    channel.onbufferedamountlow = fill;
    fill();
  });
}

async function measure() {
  // The same by hand twice shows how much two of a kind differ on this machine.
  const channels = { client: await byClient(), hand: await byHand(), again: await byHand() };
  const tasks = {
    small: (channel) => roundTrips(channel, 64, number("trips")),
    large: (channel) => transfer(channel, 16 * 1024, number("bytes")),
  };
  const result = {};
  for (const [task, run] of Object.entries(tasks)) {
    // The first of each is for the machine to warm up.
    for (const channel of Object.values(channels)) await run(channel);
    result[task] = { client: [], hand: [], again: [] };
    for (let round = 0; round < number("rounds"); round += 1) {
      // Each in each place as often.
      const order = Object.keys(channels);
      order.push(...order.splice(0, round % order.length));
      for (const who of order) result[task][who].push(await run(channels[who]));
    }
  }
  return result;
}

measure().then(
  (result) => (window.overhead = result),
  (error) => (window.fault = String(error)),
);
