// An echo by werift. Back-pressure by `bufferedAmountLow`, as in the W3C's API.

const { RTCPeerConnection } = require("werift");
const { LOW, Work, serve } = require("../answerer.cjs");

const ENDED = new Set(["closed", "failed"]);

const attend = (peer, channel) => {
  channel.bufferedAmountLowThreshold = LOW;
  const work = new Work({
    label: channel.label,
    send: (data) => channel.readyState === "open" && channel.send(data),
    buffered: () => channel.bufferedAmount,
  });
  channel.onMessage.subscribe((data) => work.message(data));
  channel.bufferedAmountLow.subscribe(() => work.low());
  channel.stateChanged.subscribe((state) => state === "closed" && peer.close());
};

serve(async (sdp) => {
  const peer = new RTCPeerConnection({ iceServers: [], iceUseIpv6: false });
  peer.onDataChannel.subscribe((channel) => attend(peer, channel));
  peer.connectionStateChange.subscribe((state) => ENDED.has(state) && peer.close());
  await peer.setRemoteDescription({ type: "offer", sdp });
  // Resolves when all candidates are gathered.
  await peer.setLocalDescription(await peer.createAnswer());
  return peer.localDescription.sdp;
});
