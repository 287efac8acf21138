import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// npm links a package that is a folder.
const linked = realpathSync(fileURLToPath(new URL("node_modules/hola-webrtc", import.meta.url)));

// For `vite` alone; `vite build` needs none of it.
export default defineConfig({
  // Dependencies are bundled into a folder of Vite's, and a .wasm file beside them is left behind.
  optimizeDeps: { exclude: ["hola-webrtc"] },
  // What is outside of the project is not served.
  server: { fs: { allow: [".", linked] } },
});
