// Fetches and compiles a module, of which wasm-bindgen's own loader would carry every way there is.

const compile = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status} for ${url}`);
  // While it comes, unless the server does not call it what it is.
  return response.headers.get("content-type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
};

// What loads a module when it is first needed, and once: from a folder that the page names, or from beside the JavaScript. What
// fails is an error of this class with these details, and the next call tries again.
export const loader = (name, beside, initSync, RtcError, details) => {
  let loading;
  return (base) =>
    (loading ??= compile(base ? new URL(name, new URL(base, document.baseURI)) : beside()).then(
      (module) => initSync({ module }),
      (cause) => {
        loading = undefined;
        throw new RtcError({
          message: `the WebAssembly module does not load: ${cause?.message ?? cause}`,
          kind: "module",
          retryable: true,
          cause,
          ...details,
        });
      },
    ));
};
