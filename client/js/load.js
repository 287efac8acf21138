// The module of the client.

import { loader } from "./compile.js";
import { initSync } from "./glue.js";

// Bundlers look for the address as it stands here.
const beside = () => new URL("./hola_webrtc.wasm", import.meta.url);

export const load = loader("hola_webrtc.wasm", beside, initSync);
