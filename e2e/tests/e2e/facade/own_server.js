// A server made of the page's own `fetch` and peer connections.

import { connect } from "./pkg/index.js";
import { equal, nothingHeld, until } from "./expect.js";

// None of the connections lasts so long that it counts as one that lasted.
const reconnect = { delay: 10, maxDelay: 600000 };

/** Answers every offer, and echoes. `patch` replies to ICE restarts, `asked` is shown the offers' requests. */
export const serve = (patch = () => new Response("", { status: 404 }), asked = () => {}) => {
  const peers = [];
  // Also on a machine that has no network.
  Object.defineProperty(navigator, "onLine", { configurable: true, value: true });
  const browserFetch = globalThis.fetch;
  globalThis.fetch = async (request) => {
    if (request.method === "PATCH") return patch();
    if (request.method === "DELETE") return new Response("");
    if (request.method !== "POST") return browserFetch(request);
    asked(request);
    const peer = new RTCPeerConnection();
    peers.push(peer);
    peer.channels = [];
    peer.ondatachannel = ({ channel }) => {
      peer.channels.push(channel);
      channel.onmessage = ({ data }) => channel.send(data);
    };
    await peer.setRemoteDescription(await request.json());
    await peer.setLocalDescription();
    await until(() => peer.iceGatheringState === "complete");
    const headers = { "Content-Type": "application/json", Location: "/sessions/1" };
    return new Response(JSON.stringify(peer.localDescription), { status: 201, headers });
  };
  return peers;
};

/** The first one with this server. */
export const session = async (peers, times = reconnect) => {
  const session = connect(location.origin, { reconnect: times, channel: { label: undefined } });
  equal(session.channel.label, "chat");
  await session.ready;
  equal(peers.length, 1);
  return session;
};

/** Nothing is left of it. */
export const ends = async (session, peers) => {
  session.close();
  for (const peer of peers) peer.close();
  await nothingHeld();
};
