// Fetches and compiles a module, of which wasm-bindgen's own loader would carry every way there is.

export const compile = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status} for ${url}`);
  // While it comes, unless the server does not call it what it is.
  return response.headers.get("content-type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
};
