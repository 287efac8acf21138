// The entry of the package. All of WebRTC is in the WebAssembly module; here it gets the shape of the web.

import { Session } from "./session.js";

export { RtcError, SendError } from "./errors.js";

export const connect = (url, options) => new Session(url, options ?? {});
