// A page without the client library, as the demo that began this project had it: it gathers every candidate, posts
// the offer as JSON, and talks over a channel labelled chat. Returns what it has heard so far.
window.heard ??= (() => {
  const heard = [];
  const connect = async () => {
    const pc = new RTCPeerConnection();
    const channel = pc.createDataChannel("chat");
    channel.onmessage = ({ data }) => {
      if (heard.push(data) === 1) channel.send("hola");
    };
    await pc.setLocalDescription(await pc.createOffer());
    await new Promise((resolve) => {
      const check = () => pc.iceGatheringState === "complete" && resolve();
      pc.addEventListener("icegatheringstatechange", check);
      check();
    });
    const { sdp, type } = pc.localDescription;
    const response = await fetch("/offer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sdp, type }),
    });
    await pc.setRemoteDescription(await response.json());
    window.connection = pc;
  };
  connect().catch((error) => heard.push(String(error)));
  return heard;
})();
return window.heard;
