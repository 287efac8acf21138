// The module of the client.

import { loader } from "./compile.js";
import { initSync } from "./glue.js";
import { RtcError } from "./errors.js";

// Bundlers look for the address as it stands here.
const beside = () => new URL("./hola_webrtc.wasm", import.meta.url);

export const load = loader("hola_webrtc.wasm", beside, initSync, RtcError, {
  phase: "signalling",
  step: "1",
  hint: "Serve hola_webrtc.wasm beside index.js or in resourceBase. Content-Security-Policy: wasm-unsafe-eval, connect-src 'self'.",
});
