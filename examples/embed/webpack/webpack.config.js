// Nothing but the entry: webpack finds the WebAssembly module by `new URL("…", import.meta.url)` and puts it beside.

export default { mode: "production", entry: "./src/main.js" };
