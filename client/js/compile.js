// Fetches and compiles a module, of which wasm-bindgen's own loader would carry every way there is.

// How long a module may take to come, in milliseconds.
const PATIENCE = 30000;

const compile = async (url) => {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok) throw new Error(`HTTP status ${response.status} for ${url}`);
  // Not while it comes: it is small, and compileStreaming wants servers to know its type.
  return WebAssembly.compile(await response.arrayBuffer());
};

// What loads a module when it is first needed, and once: from a folder that the page names, or from beside the JavaScript. The
// next call tries again what has failed.
export const loader = (name, beside, initSync) => {
  let loading;
  return (base) =>
    (loading ??= compile(base ? new URL(name, new URL(base, document.baseURI)) : beside())
      .then((module) => initSync({ module }))
      .catch((cause) => {
        loading = undefined;
        throw cause;
      }));
};
