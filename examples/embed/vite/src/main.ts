// A TypeScript project built by Vite: messages as streams, a connection that comes back, and errors by their types.
//
//   cargo xtask package && npm install && npm run dev
//   hola-webrtc --allow-origin http://localhost:5173

import { type Channel, type ConnectOptions, RtcError, SendError, connect } from "hola-webrtc";

const SERVER = "https://localhost:8443/";

const options: ConnectOptions = {
  language: document.documentElement.lang,
  deadline: 10_000,
  reconnect: true,
  channel: { label: "chat", ordered: true },
};

function find<E extends Element>(selector: string, type: new () => E): E {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

const state = find("#state", HTMLParagraphElement);
const log = find("#log", HTMLUListElement);
const message = find("#message", HTMLInputElement);

/** Shows what comes, until the channel ends. */
async function listen({ readable }: Channel): Promise<void> {
  const show = (data: string | ArrayBuffer): void => {
    const item = document.createElement("li");
    item.textContent = typeof data === "string" ? data : `${data.byteLength} bytes`;
    log.append(item);
  };
  await readable.pipeTo(new WritableStream({ write: show }));
}

/** Sends what is written; the writer waits while the channel is full. */
function speak({ writable }: Channel): void {
  const writer = writable.getWriter();
  find("#form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const text = message.value;
    message.value = "";
    writer.write(text).catch((error: unknown) => (state.textContent = explain(error)));
  });
}

function explain(error: unknown): string {
  if (error instanceof SendError) return `not sent: ${error.kind}`;
  if (!(error instanceof RtcError)) throw error;
  const again = error.retryable ? "Try again later." : "Trying again does not help.";
  return `${error.phase}, step ${error.step}: ${error.message}. ${error.hint} ${again}`;
}

try {
  const session = connect(SERVER, options);
  await session.ready;
  state.textContent = "open";
  speak(session.channel);
  await listen(session.channel);
  const { by, code } = await session.closed;
  state.textContent = `closed by ${by} (${code})`;
} catch (error) {
  state.textContent = explain(error);
}
