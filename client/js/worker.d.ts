/** Gives data channels to workers, where the browser can transfer them. */

import type { ChannelOptions, Session } from "./index.js";

/** Whether this browser can transfer data channels. */
export function canTransfer(): boolean;

/**
 * Opens a channel of the session for a worker, which gets the message `{ label, channel }` with the browser's `RTCDataChannel`: its
 * messages do not pass through the page any more. It comes before it is open, and closes with the session. If the session
 * connects again, the worker gets the next one.
 *
 * Resolves when it is given away. Rejects with an `RtcError` of the kind `not-transferable` where the browser cannot do it, with
 * the session's failure, or with a `TypeError`.
 */
export function openInWorker(
  session: Session,
  worker: Pick<Worker | MessagePort, "postMessage">,
  label: string,
  options?: Omit<ChannelOptions, "large" | "resumable">,
): Promise<void>;
