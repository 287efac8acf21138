// The call or the protocol that a step is made of, and where the standards describe it.

const W3C = "https://www.w3.org/TR/webrtc/#dom-";
const RFC = "https://www.rfc-editor.org/rfc/rfc";

export const calls = {
  1: "new RTCPeerConnection()",
  2: "createDataChannel()",
  3: "createOffer()",
  4: "setLocalDescription(offer)",
  5: "POST /offer",
  "6a": "new RTCPeerConnection()",
  "6b": "setRemoteDescription(offer)",
  "6c": "RFC\u00a08445\u00a0§5.1.1.1",
  "6d": "createAnswer()",
  "6e": "setLocalDescription(answer)",
  7: "setRemoteDescription(answer)",
  "8a": "RFC\u00a08445\u00a0§7",
  "8b": "RFC\u00a08842\u00a0§5",
  "8c": "RFC\u00a08831\u00a0§6.2",
  "8d": "RFC\u00a08832\u00a0§4",
};

export const specs = {
  1: `${W3C}peerconnection`,
  2: `${W3C}peerconnection-createdatachannel`,
  3: `${W3C}rtcpeerconnection-createoffer`,
  4: `${W3C}peerconnection-setlocaldescription`,
  5: `${RFC}9725#section-4.2`,
  "6a": `${W3C}peerconnection`,
  "6b": `${W3C}peerconnection-setremotedescription`,
  "6c": `${RFC}8445#section-5.1.1.1`,
  "6d": `${W3C}rtcpeerconnection-createanswer`,
  "6e": `${W3C}peerconnection-setlocaldescription`,
  7: `${W3C}peerconnection-setremotedescription`,
  "8a": `${RFC}8445#section-7`,
  "8b": `${RFC}8842#section-5`,
  "8c": `${RFC}8831#section-6.2`,
  "8d": `${RFC}8832#section-4`,
};
