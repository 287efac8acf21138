// Hands channels to workers: https://www.w3.org/TR/webrtc/#dom-rtcdatachannel-transferable. An entry of its own.

// From the entry, so that there is one class of it.
import { RtcError } from "./index.js";

const refused = (cause) =>
  new RtcError({
    message: `the channel cannot be given to a worker: ${cause?.message ?? cause}`,
    phase: "channel",
    step: "8d",
    kind: "not-transferable",
    hint: "Where the browser cannot transfer channels, transfer the streams of one that stays in the page.",
    retryable: false,
    cause,
  });

export const canTransfer = () => {
  const connection = new RTCPeerConnection();
  const { port1 } = new MessageChannel();
  try {
    const channel = connection.createDataChannel("");
    port1.postMessage(channel, [channel]);
    return true;
  } catch {
    return false;
  } finally {
    port1.close();
    connection.close();
  }
};

export const openInWorker = (session, worker, label, options = {}) =>
  new Promise((resolve, reject) => {
    if (options.large || options.resumable) throw new TypeError("in a worker a channel is neither large nor resumable");
    const made = (channel) => {
      try {
        worker.postMessage({ label, channel }, [channel]);
        resolve();
      } catch (cause) {
        channel.close();
        reject(refused(cause));
      }
    };
    // What stays here of the channel ends with the session.
    session.openChannel(label, { ...options, made }).closed.then(() => reject(refused("it is closed")), reject);
  });
