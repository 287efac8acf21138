/** WebRTC data channels to a hola-webrtc server, or to any that takes `POST /offer`. */

/**
 * Connects. Returns at once; the WebAssembly module is loaded when it is first needed.
 *
 * @param url The server's address, or the one to which the offer is posted, if its path ends in `/offer`. It may be relative
 * to the page.
 * @throws {TypeError} An option has a value that does not fit.
 */
export function connect(url: string | URL, options?: ConnectOptions): Session;

/** How to connect. Times are in milliseconds. */
export interface ConnectOptions {
  /** STUN and TURN servers, none by default: a server that can be reached needs none. */
  iceServers?: RTCIceServer[];
  /** What the server asks for, sent as `Authorization: Bearer …`. */
  token?: string;
  /** Aborts connecting: `ready` and `closed` reject with its reason, and nothing is left behind. Of no effect once open. */
  signal?: AbortSignal;
  /** The language in which the server should speak, as in `Accept-Language`. */
  language?: string;
  /** `"immediate"` (default) sends the offer at once; `"complete"` waits for all candidates. */
  gathering?: "immediate" | "complete";
  /** How long `"complete"` waits, 2,000 by default; then the offer leaves with the candidates there are. */
  gatheringDeadline?: number;
  /**
   * How long all steps together may take, 15,000 by default, and the reply to an ICE restart. Time spent at the gate does not
   * count, and neither does loading the module, which is given up after half a minute.
   */
  deadline?: number;
  /** How long an open connection may stay disconnected before it counts as lost, 5,000 by default. */
  patience?: number;
  /** Awaited before each step, with its label: "1" to "5", "7", "8a" to "8d". If it throws, connecting fails with that. */
  gate?: (step: string) => void | PromiseLike<void>;
  /** The channel that is made with the connection. Its label is "chat" by default; on any other the server only echoes. */
  channel?: { label?: string } & ChannelOptions;
  /**
   * Whether a new path is looked for when nothing comes or, where the browser tells, the network is another one, and a new
   * connection is made when one is lost, or the server ends it; not by default. The channels that the page has opened are opened
   * again under the same objects; without any left the session ends. What it takes is loaded beside the first connection; if that
   * does not load, the session fails with an `RtcError` of the kind `"module"`.
   */
  reconnect?: boolean | ReconnectOptions;
  /**
   * The folder in which the package's `.wasm` files are, with a slash at its end, if not beside this module. The first call
   * decides.
   */
  resourceBase?: string | URL;
}

/**
 * How to connect again: after random times between 0 and a limit that doubles, at once when the network is back or another one,
 * and not before the server wants to be asked; offline after `maxDelay` at the earliest. Attempts made offline do not count. Times
 * are in milliseconds.
 */
export interface ReconnectOptions {
  /**
   * How many attempts may fail one after the other before the session ends; any number by default. A connection that lasts
   * shorter than `maxDelay` counts as one that failed.
   */
  attempts?: number;
  /** The limit of the first wait, 500 by default. */
  delay?: number;
  /** What the limit grows to, 30,000 by default. */
  maxDelay?: number;
}

/** How a channel treats its messages. */
export interface ChannelOptions {
  /** Whether messages arrive in the order in which they were sent; true by default. */
  ordered?: boolean;
  /** How often a lost message is sent again, if not until it arrives. */
  maxRetransmits?: number;
  /** For how many milliseconds a lost message is sent again, if not until it arrives. */
  maxPacketLifeTime?: number;
  /** The name of what is spoken on the channel. */
  protocol?: string;
  /** Both sides make the channel, with the same `id`, and neither tells the other. */
  negotiated?: boolean;
  /** The stream number, if both sides have agreed on one. */
  id?: number;
  /**
   * Messages of any size, and `sendLarge`, if the server speaks the framing (docs/framing.md). The channel has to be ordered and
   * reliable.
   */
  large?: boolean;
  /** As `large`; and the channel goes on over the session's next connection, each message once and in order. */
  resumable?: boolean;
}

/** A connection, from the call to its end. It lives until it is closed, whether or not anyone holds it. */
export interface Session extends EventTarget {
  /** The session's name on the server, once it has one. Who knows it can end the session. */
  readonly id: string | undefined;
  /**
   * Resolves when the channel is open. Rejects with an `RtcError`, with the reason of the signal, or, if the session is closed
   * before, with a `DOMException` named `AbortError`.
   */
  readonly ready: Promise<void>;
  /** Resolves when either side has closed the session. Rejects when it failed. */
  readonly closed: Promise<CloseInfo>;
  readonly state: SessionState;
  /** The channel that is made with the connection. */
  readonly channel: Channel;
  /**
   * Makes another channel. It opens by itself, after the session if that is still connecting.
   *
   * @throws What `RTCPeerConnection.createDataChannel` throws.
   */
  openChannel(label: string, options?: ChannelOptions): Channel;
  /** The channels that the other side opens. Once this is cancelled, those are closed that wait in it, and all that come. */
  readonly incomingChannels: ReadableStream<Channel>;
  /**
   * Waits for the session to be ready, and rejects as `ready` does; then with a `DOMException` named `InvalidStateError` while
   * there is no connection. So does `restartIce`.
   */
  getStats(): Promise<Stats>;
  /**
   * Finds a new path for the same session, as when the network has changed; channels and what is in them stay. Resolves when
   * both sides know each other's new credentials. Rejects with an `RtcError` if the server refuses, or does not reply within
   * the deadline, and leaves all as it was here. A server whose reply alone was lost does not hear this side then, until
   * another restart succeeds.
   */
  restartIce(): Promise<void>;
  /**
   * What happened: the last 1,000 events, then live; ends with the session. Any number of readers. One that has begun misses
   * nothing, which is kept until it goes on.
   */
  readonly trace: AsyncIterable<TraceEvent>;
  /** What happened up to now, for a bug report. It has addresses of both sides. */
  exportTrace(): TraceExport;
  /**
   * Closes the session with all its channels, and tells the server that it is over. `code` and `reason` come back in `closed` here
   * and are not sent: neither a data channel nor the profile has a place for them. What the server has to know goes before, as a
   * message.
   */
  close(info?: { code?: number; reason?: string }): void;
  onstatechange: ((this: Session, event: Event) => unknown) | null;
  addEventListener(
    type: "statechange",
    listener: ((this: Session, event: Event) => unknown) | EventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener(
    type: "statechange",
    listener: ((this: Session, event: Event) => unknown) | EventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** Disconnected: nothing comes at the moment, it may recover. Reconnecting: a new connection is made. */
export type SessionState = "connecting" | "connected" | "disconnected" | "reconnecting" | "closed";

/** How a session ended. */
export interface CloseInfo {
  by: "local" | "remote";
  /** What this side gave to `close`; 0 otherwise, as WebRTC carries none. */
  code: number;
  /** What this side gave to `close`; empty otherwise. */
  reason: string;
}

/** The events of a channel. */
export interface ChannelEventMap {
  open: Event;
  message: MessageEvent<string | ArrayBuffer>;
  bufferedamountlow: Event;
  close: Event;
  undelivered: UndeliveredEvent;
  lost: LostEvent;
}

/**
 * Messages of a channel with `large` or `resumable` of which it is not known that they arrived: the server has forgotten the
 * channel, the connection of one that is not resumable was lost, or the channel has ended. Those that are not whole were cut off.
 */
export interface UndeliveredEvent extends Event {
  readonly messages: { data: string | ArrayBuffer; isWhole: boolean }[];
}

/** The connection of a channel with neither `large` nor `resumable` was lost; another one will be made. */
export interface LostEvent extends Event {
  /** How many messages had not left the browser. What became of those that had is not known. */
  readonly count: number;
}

/** How a large transfer is sent. */
export interface SendLargeOptions {
  /** Gives the transfer up; the promise rejects with its reason. */
  signal?: AbortSignal;
  onprogress?: (progress: { sent: number; total: number | undefined }) => void;
  /** The media type, that of a `Blob` by default. */
  type?: string;
  /** The name, that of a `File` by default. */
  name?: string;
}

/** A large transfer that comes. What is not read of it stops the other side, and nothing else on the channel. */
export interface IncomingLarge {
  readonly name: string;
  readonly type: string;
  /** Its length in bytes, if that is known. */
  readonly total: number | undefined;
  readonly stream: ReadableStream<Uint8Array>;
  /** Resolves when all of it was read and the checksum agreed. */
  readonly done: Promise<void>;
  /** Gives it up. */
  cancel(reason?: unknown): void;
}

/** A data channel. */
export interface Channel extends EventTarget {
  readonly label: string;
  /** The stream number, once it is settled. */
  readonly id: number | null;
  readonly protocol: string;
  readonly ordered: boolean;
  /** Resolves when it is open. Rejects if it closes before. */
  readonly ready: Promise<void>;
  /**
   * Resolves when either side has closed it. Rejects if the session failed, or with what was wrong on a channel with `large` or
   * `resumable`: a `SendError` of the kind `"closed"`, or, if what it takes did not load, an `RtcError` of the kind
   * `"module"`.
   */
  readonly closed: Promise<void>;
  readonly state: RTCDataChannelState;
  /** The messages. Once it is asked for, there are no message events any more. Browsers cannot pause receiving. */
  readonly readable: ReadableStream<string | ArrayBuffer>;
  /**
   * Writing waits until the channel is open, and while 1 MiB waits to be sent; who aborts waits for that as well. It fails when the
   * channel has ended.
   */
  readonly writable: WritableStream<string | ArrayBuffer | ArrayBufferView>;
  /**
   * Sends at once.
   *
   * @throws {SendError} It is not open, the message is too large, or 1 MiB already waits. Nothing was sent.
   */
  send(data: string | ArrayBuffer | ArrayBufferView): void;
  /**
   * Sends what may be of any size, beside the messages and in small pieces. Resolves when the other side has read it all and the
   * checksum agreed. Of a channel with `large` or `resumable`.
   */
  sendLarge(
    data: Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>,
    options?: SendLargeOptions,
  ): Promise<void>;
  /** The large transfers that the other side begins. Once this is cancelled, all that come are refused. */
  readonly incomingLarge: ReadableStream<IncomingLarge>;
  /** How many bytes wait to be sent. */
  readonly bufferedAmount: number;
  /** The largest message that the other side takes, in bytes, if there is a limit and it is known. */
  readonly maxMessageSize: number | undefined;
  /** Closes the channel; what waits is still sent. The session stays. */
  close(): void;
  onopen: ((this: Channel, event: Event) => unknown) | null;
  /** Messages that come before there is a listener wait for it. */
  onmessage: ((this: Channel, event: MessageEvent<string | ArrayBuffer>) => unknown) | null;
  onbufferedamountlow: ((this: Channel, event: Event) => unknown) | null;
  onclose: ((this: Channel, event: Event) => unknown) | null;
  onundelivered: ((this: Channel, event: UndeliveredEvent) => unknown) | null;
  onlost: ((this: Channel, event: LostEvent) => unknown) | null;
  addEventListener<K extends keyof ChannelEventMap>(
    type: K,
    listener: (this: Channel, event: ChannelEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof ChannelEventMap>(
    type: K,
    listener: (this: Channel, event: ChannelEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** How a connection goes, as the browser counts it. What it does not tell is undefined. */
export interface Stats {
  /** The pair of candidates in use. */
  pair: { local?: CandidateInfo; remote?: CandidateInfo } | undefined;
  /** The last measured round trip of an ICE check, in milliseconds. */
  roundTrip: number | undefined;
  /** Over the pair, with the headers inside UDP. */
  bytesSent: number | undefined;
  /** Over the pair, with the headers inside UDP. */
  bytesReceived: number | undefined;
  /** On all channels. */
  messagesSent: number;
  /** On all channels. */
  messagesReceived: number;
  /** All that the browser tells. */
  report: RTCStatsReport;
}

/** One end of the path. */
export interface CandidateInfo {
  foundation: string;
  component: number;
  transport: string;
  priority: number | undefined;
  /** Empty if the browser keeps it to itself. */
  address: string;
  port: number;
  type: RTCIceCandidateType;
}

/** An event of the trace: its step ("1" to "8d"), who acted, when (ms since the start), and what happened. */
export interface TraceEvent {
  step: string;
  side: "client" | "server";
  at: number;
  event: string;
  [detail: string]: unknown;
}

/** A trace as a value that `JSON.stringify` writes whole. */
export interface TraceExport {
  version: number;
  /** When `at` was 0, as an ISO 8601 date. */
  startedAt: string;
  userAgent: string;
  events: TraceEvent[];
}

/** Why a session did not come up, or was lost. */
export class RtcError extends Error {
  private constructor();
  readonly name: "RtcError";
  readonly phase: "signalling" | "ice" | "dtls" | "sctp" | "channel";
  /** The step that failed, "1" to "8d". */
  readonly step: string;
  readonly kind:
    | "module"
    | "invalid-url"
    | "unsupported"
    | "server-unreachable"
    | "refused"
    | "unexpected-reply"
    | "bad-answer"
    | "timeout"
    | "ice-failed"
    | "dtls-failed"
    | "channel-closed"
    | "lost"
    | "js"
    | (string & {});
  /** What to do about it, in English. */
  readonly hint: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** How many milliseconds the server asks to stay away, in `Retry-After`; 0 or left out if it does not. Reconnecting keeps to it. */
  readonly retryAfter?: number;
  /**
   * What is beneath, if there is something: the body of a refusal (`code`, `status`, `title`, `detail`), the HTTP status, or an error.
   */
  readonly cause: unknown;
}

/** Why a message was not sent. None of it was. */
export class SendError extends Error {
  private constructor();
  readonly name: "SendError";
  readonly kind: "not-open" | "too-large" | "full" | "js" | "closed" | "given-up" | "not-framed";
}
