// A session as simple as a WebSocket, and what it says when it does not come up.

import { connect } from "./pkg/index.js";

const state = document.querySelector("#state");
const log = document.querySelector("#log");
const message = document.querySelector("#message");

const session = connect("https://localhost:8443/", { language: document.documentElement.lang });
const { channel } = session;

channel.onmessage = ({ data }) => {
  const item = document.createElement("li");
  item.textContent = data;
  log.append(item);
};

document.querySelector("#form").addEventListener("submit", (event) => {
  event.preventDefault();
  channel.send(message.value);
  message.value = "";
});

try {
  await session.ready;
  state.textContent = "open";
  const { by } = await session.closed;
  state.textContent = `closed by ${by}`;
} catch (error) {
  state.textContent = `${error.message}. ${error.hint ?? ""}`;
}
