// A JavaScript project built by webpack, with types checked by tsc: the element stands in the page, the script listens.
//
//   cargo xtask package && npm install && npm run build
//   hola-webrtc --allow-origin http://localhost:8000
//   python3 -m http.server 8000

import "hola-webrtc/element";

const state = document.querySelector("#state");
const chat = document.querySelector("hola-webrtc");

/** @param {string} text */
const show = (text) => {
  if (state) state.textContent = text;
};

chat?.addEventListener("open", () => show("open"));
chat?.addEventListener("close", ({ detail }) => show(`closed by ${detail.by}`));
// A TypeError says that an attribute's value does not fit.
chat?.addEventListener("error", ({ detail }) => show("hint" in detail ? `${detail.kind}: ${detail.hint}` : detail.message));
