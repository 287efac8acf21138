// An echo by libwebrtc, as the W3C's API in Node (@roamhq/wrtc). Back-pressure by `bufferedamountlow`:
// https://www.w3.org/TR/webrtc/#dom-datachannel-bufferedamountlowthreshold

const { RTCPeerConnection } = require("@roamhq/wrtc");
const { LOW, Work, serve } = require("../answerer.cjs");

const ENDED = new Set(["closed", "failed"]);

const attend = (peer, channel) => {
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = LOW;
  const work = new Work({
    label: channel.label,
    send: (data) => channel.readyState === "open" && channel.send(data),
    buffered: () => channel.bufferedAmount,
  });
  channel.onmessage = ({ data }) => work.message(data);
  channel.onbufferedamountlow = () => work.low();
  channel.onclose = () => peer.close();
};

serve(async (sdp) => {
  const peer = new RTCPeerConnection({ iceServers: [] });
  peer.ondatachannel = ({ channel }) => attend(peer, channel);
  peer.onconnectionstatechange = () => ENDED.has(peer.connectionState) && peer.close();
  await peer.setRemoteDescription({ type: "offer", sdp });
  // It has all host candidates of UDP by the first event. Gathering goes on for 100 ms, for TCP.
  const gathered = new Promise((resolve) => peer.addEventListener("icecandidate", resolve, { once: true }));
  await peer.setLocalDescription(await peer.createAnswer());
  await gathered;
  return peer.localDescription.sdp;
});
