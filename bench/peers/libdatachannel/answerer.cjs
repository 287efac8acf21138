// An echo by libdatachannel, through its own API in Node (node-datachannel). Back-pressure as its documentation has it:
// https://github.com/paullouisageneau/libdatachannel/blob/master/DOC.md#rtcsetbufferedamountlowcallback

const rtc = require("node-datachannel");
const { LOW, Work, serve } = require("../answerer.cjs");

const ENDED = new Set(["closed", "failed"]);

// What nobody holds, the binding's finalizer would end.
const peers = new Set();

const attend = (peer, channel, end) => {
  channel.setBufferedAmountLowThreshold(LOW);
  const work = new Work({
    label: channel.getLabel(),
    send: (data) => {
      if (!channel.isOpen()) return;
      if (typeof data === "string") channel.sendMessage(data);
      else channel.sendMessageBinary(data);
    },
    buffered: () => channel.bufferedAmount(),
  });
  channel.onMessage((data) => work.message(data));
  channel.onBufferedAmountLow(() => work.low());
  channel.onClosed(end);
};

serve(async (sdp) => {
  const peer = new rtc.PeerConnection("answerer", { iceServers: [] });
  peers.add(peer);
  const end = () => peers.delete(peer) && peer.close();
  const gathered = new Promise((resolve) => {
    peer.onGatheringStateChange((state) => state === "complete" && resolve());
  });
  peer.onDataChannel((channel) => attend(peer, channel, end));
  peer.onStateChange((state) => ENDED.has(state) && end());
  peer.setRemoteDescription(sdp, "offer");
  await gathered;
  return peer.localDescription().sdp;
});
