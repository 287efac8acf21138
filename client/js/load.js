// The module, loaded when it is first needed, and once.

import { compile } from "./compile.js";
import { Core, initSync } from "./glue.js";
import { RtcError } from "./errors.js";

let loading;

export const load = (base) =>
  (loading ??= compile(
    base
      ? new URL("hola_webrtc.wasm", new URL(base, document.baseURI))
      : new URL("./hola_webrtc.wasm", import.meta.url),
  ).then(
    (module) => {
      initSync({ module });
      return Core;
    },
    (cause) => {
      loading = undefined;
      throw new RtcError({
        message: `the WebAssembly module does not load: ${cause?.message ?? cause}`,
        phase: "signalling",
        step: "1",
        kind: "module",
        hint: "Serve hola_webrtc.wasm beside index.js or in resourceBase. Content-Security-Policy: wasm-unsafe-eval, connect-src 'self'.",
        retryable: true,
        cause,
      });
    },
  ));
