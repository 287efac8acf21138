// What the element says, in English: the words of the page's lesson.

export const en = {
  name: "Connection",
  start: "Connect",
  again: "Connect again",
  cancel: "Cancel",
  close: "Close",
  session: "session",
  sessionTitle: (id) => `The server calls this session ${id}`,
  status: {
    idle: "Not connected",
    connecting: "Connecting…",
    open: "Channel open",
    silent: "The server is silent; it may come back…",
    closed: "Connection closed",
    failed: "Could not connect",
    lost: "Connection lost",
    reconnecting: "Connecting again…",
  },
  openAfter: (time) => `Channel open after ${time}`,
  browser: "Browser",
  server: "Server",
  steps: "The eight steps",
  stepNumber: (number) => `Step ${number}:`,
  actors: { browser: "taken by the browser", server: "taken by the server", both: "taken by both sides" },
  states: { pending: "pending", active: "under way", done: "done", failed: "failed" },
  sinceStart: "since the start",
  took: (time) => `took ${time}`,
  specification: (name) => `Specification: ${name} (opens in another tab)`,
  wires: { 5: "offer", 6: "answer", 8: "data channel" },
  // Of each step: what it is called, and what happens in it.
  step: {
    1: [
      "Create the peer connection",
      "The browser creates an RTCPeerConnection, the object that negotiates the connection and then holds it.",
    ],
    2: [
      "Create the data channel",
      "It has to exist before the offer: without it the offer would ask for nothing, and its SDP would have no m=application line.",
    ],
    3: [
      "Create the offer",
      "The browser describes in SDP what it wants and how: its ICE credentials, the fingerprint of its certificate and the SCTP port.",
    ],
    4: [
      "Set the local description",
      "The browser commits to its offer, and ICE begins to gather candidates: the addresses at which it might be reached.",
    ],
    5: [
      "Send the offer",
      "The offer travels to the server over HTTPS. WebRTC does not say how it should get there: anything that carries text would do.",
    ],
    6: [
      "The server answers",
      "The server takes the same steps from the other side and replies with its own description, which already holds its addresses.",
    ],
    "6a": [
      "Create its end",
      "It prepares the object that will hold this connection.",
    ],
    "6b": [
      "Set the remote description",
      "It reads in the offer what the browser asks for and how to recognise it.",
    ],
    "6c": [
      "Add its candidates",
      "It notes down its addresses: it knows them already and need not look for them.",
    ],
    "6d": [
      "Create the answer",
      "It writes in SDP what it accepts.",
    ],
    "6e": [
      "Set the local description",
      "It commits to its answer and returns it in the HTTP reply.",
    ],
    7: [
      "Set the remote description",
      "The browser takes in the answer: now it knows the addresses, the credentials and the fingerprint of the server.",
    ],
    8: [
      "Connect",
      "Four layers come up, one on top of another: a path, the encryption, an association and the channel.",
    ],
    "8a": [
      "ICE: find a path",
      "Both sides try pairs of addresses with STUN messages until one works.",
    ],
    "8b": [
      "DTLS: agree on keys",
      "Along that path they agree on the encryption and check that the other's certificate has the fingerprint that its SDP gave.",
    ],
    "8c": [
      "SCTP: associate",
      "Inside the encryption, SCTP keeps messages apart and in order, and sends again those that get lost.",
    ],
    "8d": [
      "Open the channel",
      "The channel is ready: either side may speak whenever it likes, as with a WebSocket.",
    ],
  },
  data: {
    offer: "Offer (SDP)",
    answer: "Answer (SDP)",
    candidates: "Candidates",
    type: "Type",
    address: "Address",
    transport: "Transport",
    priority: "Priority",
    hidden: "(hidden)",
    hiddenNote: "The browser hides the addresses of your network: to just any page it gives a name that ends in .local, or none.",
    candidateFailures: "STUN or TURN servers without a candidate",
    request: "Request",
    response: "Reply",
    states: "States",
    when: "When",
    machine: "What changes",
    state: "State",
    pair: "Selected pair",
    channel: "Channel",
    label: "Label",
    id: "Number",
    limit: "Largest message",
    unlimited: "no limit",
    failure: "What failed",
    candidatesCount: (count) => `Candidates (${count})`,
  },
  chat: {
    log: "Messages",
    empty: "Your messages, their echoes and what the server says will appear here.",
    message: "Your message",
    placeholder: "Write a message",
    send: "Send",
    me: "You",
    echo: "Echo",
    server: "Server",
    connecting: "You can write as soon as the channel opens.",
    closed: "The channel is closed: connect again to go on writing.",
    binary: (size) => `${size} of binary data`,
    roundTrip: (time) => `${time} round trip`,
    notSent: (cause) => `It could not be sent: ${cause}`,
  },
  // What went wrong: a title, and what to do about it.
  notice: {
    cause: "Technical detail",
    open: (url) => `Open ${url}`,
    unreachable: [
      "The server cannot be reached",
      ({ url }) => `Nobody answers at ${url}. Check that the server is running and that the address is right; then connect again.`,
    ],
    certificate: [
      "The browser could not talk to the server",
      ({ url }) => `Either ${url} is down, or your browser does not accept its certificate yet: a test server uses one that it made itself. Open that address in another tab, accept the certificate, come back here and connect again. If it still does not connect, the server has to allow pages of another origin (option --allow-origin).`,
    ],
    refused: [
      "The server refused the offer",
      ({ code, detail }) => `This is what it said (${code}): ${detail}`,
    ],
    unavailable: [
      "The server refused the offer",
      () => "It takes no more sessions for now. Wait a few seconds and connect again.",
    ],
    "invalid-url": [
      "The connection did not open",
      ({ url }) => `The server's address is not valid: ${url}. It has to look like https://server:8443.`,
    ],
    "unexpected-reply": [
      "The connection did not open",
      ({ url, status }) => `Somebody replies at ${url}, but not with an answer to the offer (HTTP ${status}). Check that a hola-webrtc server is there.`,
    ],
    timeout: [
      "The connection did not open",
      () => "It did not open in time. Check that no firewall blocks UDP on the server's port, and connect again.",
    ],
    "ice-failed": [
      "The connection did not open",
      () => "The answer came, but no UDP path was found between the browser and the server. A firewall or a VPN is the usual reason: let UDP pass on the server's port, or try from another network.",
    ],
    "dtls-failed": [
      "The connection did not open",
      () => "A path was found, but the encryption could not be agreed upon. Connect again; if it happens once more, something between the two may be altering the traffic.",
    ],
    other: [
      "The connection did not open",
      ({ step }) => `Something failed in step ${step}. Connect again; if it happens once more, the technical detail says where to look.`,
    ],
    unsupported: [
      "This browser does not offer WebRTC",
      () => "Use a recent version of Firefox, Chrome, Edge or Safari, and check that no extension or setting switches it off.",
    ],
    lost: [
      "The connection was lost",
      () => "The server no longer answers: it may have stopped, or the network may be down. Check that it is still running and connect again.",
    ],
    remote: [
      "The server closed the connection",
      () => "It may have stopped, or considered the session over. Connect again whenever you like.",
    ],
  },
};
