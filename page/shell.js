// Says so when the page cannot start, which is the one thing that the WebAssembly module cannot say itself.
"use strict";

(() => {
  // Without scripts the page waits for nothing, and its loading line stays hidden.
  document.documentElement.dataset.scripts = "on";

  const say = (id) => {
    const sentence = document.getElementById(id);
    if (sentence) {
      document.getElementById("shell-loading").hidden = true;
      sentence.hidden = false;
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    if (typeof WebAssembly !== "object") {
      say("shell-no-wasm");
    }
  });

  // The module or one of its files did not arrive. Once the page has started, the sentence is gone.
  const fail = () => typeof WebAssembly === "object" && say("shell-not-loaded");
  addEventListener("unhandledrejection", fail);
  addEventListener("error", fail, true);
})();
