import type { CloseInfo, RtcError, Session } from "./index.js";

/** What the element shows: the status with a chat, the status alone, or the eight steps with the chat. */
export type HolaWebrtcMode = "chat" | "status" | "lesson";

/**
 * The element's events. None of them bubbles, as those of `WebSocket` do not. Every session begins with `open`, if it comes
 * that far, and ends in one `close` or one `error`.
 */
export interface HolaWebrtcElementEventMap {
  /** The channel is open. */
  open: CustomEvent<{ session: Session }>;
  /** A message came. Not told of while somebody reads the channel's `readable`. */
  message: CustomEvent<{ data: string | ArrayBuffer }>;
  /** The session was closed: by either side, by its button, because the element was taken out or asked for another. */
  close: CustomEvent<CloseInfo>;
  /** The session did not come up, or was lost. */
  error: CustomEvent<RtcError | TypeError>;
}

/**
 * `<hola-webrtc src="https://host:8443/" mode="lesson" lang="en">`: connects as soon as it stands in a document, closes
 * when it is taken out, and outlives being moved. A change of `src`, `label`, `token` or `reconnect` begins a new session.
 *
 * It speaks English or Spanish: by its own `lang`, that of what it stands in, or the reader's languages.
 *
 * Style sheets reach its parts: `root`, `status` (with the status as a second name: `::part(status open)`), `session`,
 * `button`, `send`, `notice`, `chat`, `log`, `message` (`me`, `echo`, `server`), `form`, `input`, `steps`, `step`
 * and `substep` (`pending`, `active`, `done`, `failed`) and `data`. And its custom properties: `--hola-accent`, `--hola-on-accent`, `--hola-server`, `--hola-paper`,
 * `--hola-surface`, `--hola-sunken`, `--hola-ink`, `--hola-ink-soft`, `--hola-rule`, `--hola-rule-strong`, `--hola-good`,
 * `--hola-bad`, `--hola-radius`, `--hola-font`, `--hola-mono`, `--hola-log-height`. Light or dark follows
 * `color-scheme`.
 */
export class HolaWebrtcElement extends HTMLElement {
  /** The server's address, resolved against the document's; empty if there is none. */
  src: string;
  /** The label of the channel, "chat" by default. On any other label the server only echoes. */
  label: string;
  /** What the server wants to see before it answers; empty if nothing. */
  token: string;
  /** "chat" by default. */
  mode: HolaWebrtcMode;
  /** Whether a lost connection is made anew, by ICE restarts and new sessions. */
  reconnect: boolean;
  /** The session of this moment, or the last one. */
  readonly session: Session | undefined;

  addEventListener<K extends keyof HolaWebrtcElementEventMap>(
    type: K,
    listener: (this: HolaWebrtcElement, event: HolaWebrtcElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<K extends keyof HTMLElementEventMap>(
    type: Exclude<K, keyof HolaWebrtcElementEventMap>,
    listener: (this: HolaWebrtcElement, event: HTMLElementEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof HolaWebrtcElementEventMap>(
    type: K,
    listener: (this: HolaWebrtcElement, event: HolaWebrtcElementEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "hola-webrtc": HolaWebrtcElement;
  }
}
