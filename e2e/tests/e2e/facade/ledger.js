// Keeps account of what the package takes from the browser, to see that it gives all of it back.

export const connections = [];
export const requests = [];
// The highest bufferedAmount that any channel had after a message was given to it.
export const buffered = { highest: 0 };

// The browser's channels that the package has made.
export const raws = [];
const listeners = new Set();
let onRequest = () => {};
let onRequesting = () => {};

/** Called when a request has left. */
export const whenRequested = (listener) => (onRequest = listener);

/** Called from within `fetch`, while whoever requests waits for it to return. */
export const whileRequesting = (listener) => (onRequesting = listener);

window.RTCPeerConnection = class extends window.RTCPeerConnection {
  closes = 0;

  constructor(...options) {
    super(...options);
    connections.push(this);
  }

  close() {
    this.closes++;
    super.close();
  }

  createDataChannel(...options) {
    const raw = super.createDataChannel(...options);
    raws.push(raw);
    return raw;
  }
};

const { fetch } = window;
window.fetch = (request) => {
  const entry = { method: request.method, url: request.url, isPending: true };
  requests.push(entry);
  const reply = fetch(request);
  const settled = () => (entry.isPending = false);
  reply.then(settled, settled);
  // In a later turn, as a page would.
  queueMicrotask(onRequest);
  onRequesting();
  return reply;
};

/** A request of the test's own. */
export const ask = (url) => fetch(url);

const { send } = RTCDataChannel.prototype;
RTCDataChannel.prototype.send = function (data) {
  send.call(this, data);
  buffered.highest = Math.max(buffered.highest, this.bufferedAmount);
};

const TRANSPORTS = ["RTCSctpTransport", "RTCDtlsTransport", "RTCIceTransport"];
const WATCHED = ["RTCPeerConnection", "RTCDataChannel", ...TRANSPORTS, "AbortSignal"];
const isWatched = (target, type) =>
  (target === window && /^(on|off)line$/.test(type)) ||
  (type === "change" && target === navigator.connection) ||
  WATCHED.some((name) => globalThis[name] && target instanceof globalThis[name]);
const ids = new WeakMap();
const idOf = (object) => {
  if (!ids.has(object)) ids.set(object, crypto.randomUUID());
  return ids.get(object);
};
// A registration is the same again for the same target, type and function; the package captures nothing.
const key = (target, type, listener) => `${target.constructor.name} ${type} ${idOf(target)} ${idOf(listener)}`;

const { addEventListener, removeEventListener } = EventTarget.prototype;
EventTarget.prototype.addEventListener = function (type, listener, ...rest) {
  const target = this ?? window;
  if (listener && isWatched(target, type)) listeners.add(key(target, type, listener));
  return addEventListener.call(target, type, listener, ...rest);
};
EventTarget.prototype.removeEventListener = function (type, listener, ...rest) {
  const target = this ?? window;
  if (listener && isWatched(target, type)) listeners.delete(key(target, type, listener));
  return removeEventListener.call(target, type, listener, ...rest);
};

const isOpen = ({ closes, signalingState }) => closes === 0 || signalingState !== "closed";
const HANDLERS = ["onopen", "onmessage", "onbufferedamountlow", "onclosing", "onclose", "onerror"];

/** What the package still holds, in words; nothing if all was given back. */
export const held = () => [
  ...connections.filter(isOpen).map(() => "a peer connection"),
  ...requests.filter(({ isPending }) => isPending).map(({ method, url }) => `${method} ${url}`),
  ...listeners,
  ...raws.flatMap((raw) => HANDLERS.filter((name) => raw[name]).map((name) => `${name} of ${raw.label}`)),
];

/** How many listeners are registered: more than none while a session lives, or the account is not kept. */
export const listening = () => listeners.size;
