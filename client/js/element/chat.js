// The chat over the channel: ours on the right in the browser's colour, the server's on the left in its own.

import { element, setAttribute, setText } from "./dom.js";
import { bytes, milliseconds } from "./format.js";

export class ChatView {
  root;
  #texts;
  #send;
  #log;
  #empty;
  #input;
  #button;
  #hint;
  #refusal = "";
  #isOpen = false;
  #rows = new Map();

  constructor(texts, { send }) {
    this.#texts = texts.chat;
    this.#send = send;
    this.#empty = element("p", { class: "empty" }, texts.chat.empty);
    this.#log = element("div", {
      class: "log",
      part: "log",
      role: "log",
      "aria-live": "polite",
      "aria-label": texts.chat.log,
      tabindex: "0",
    });
    this.#input = element("input", {
      class: "input",
      part: "input",
      id: "message",
      type: "text",
      autocomplete: "off",
      enterkeyhint: "send",
      placeholder: texts.chat.placeholder,
      "aria-describedby": "hint",
    });
    this.#button = element("button", { class: "button", part: "button send", type: "submit" }, texts.chat.send);
    this.#hint = element("p", { class: "small hint", id: "hint", role: "status" });
    const form = element(
      "form",
      { class: "form", part: "form", submit: (event) => this.#submit(event) },
      element("label", { class: "hidden", for: "message" }, texts.chat.message),
      this.#input,
      this.#button,
      this.#hint,
    );
    const window = element("div", { class: "window" }, this.#empty, this.#log);
    this.root = element("div", { class: "talk", part: "chat" }, window, form);
  }

  update({ status, entries }) {
    this.#isOpen = status === "open" || status === "silent" || status === "reconnecting";
    if (!this.#isOpen) this.#refusal = "";
    setAttribute(this.#button, "aria-disabled", this.#isOpen ? undefined : "true");
    setText(this.#hint, this.#refusal || this.#reason(status));
    this.#empty.hidden = entries.length > 0;
    this.#fill(entries);
  }

  focus(options) {
    this.#input.focus(options);
  }

  /** Why nothing can be sent. One can write all the same: a field that is switched off would lose the focus. */
  #reason(status) {
    if (this.#isOpen) return "";
    return status === "connecting" ? this.#texts.connecting : status === "idle" ? "" : this.#texts.closed;
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#input.value;
    if (!text || !this.#isOpen) return;
    try {
      this.#send(text);
      this.#input.value = "";
      this.#refusal = "";
    } catch (error) {
      this.#refusal = this.#texts.notSent(error.message);
    }
    setText(this.#hint, this.#refusal);
  }

  /** Adds what is new and takes away what is no longer kept. Who has scrolled up to read stays there. */
  #fill(entries) {
    const log = this.#log;
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    const kept = new Set(entries.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    let hasOwn = false;
    for (const entry of entries) {
      if (this.#rows.has(entry.id)) continue;
      const row = this.#row(entry);
      this.#rows.set(entry.id, row);
      log.append(row);
      hasOwn ||= entry.from === "me";
    }
    if (isAtEnd || hasOwn) log.scrollTop = log.scrollHeight;
  }

  #row({ from, data, roundTrip }) {
    const texts = this.#texts;
    const said = typeof data === "string" ? data : texts.binary(bytes(data.byteLength));
    return element(
      "div",
      { class: "line", part: `message ${from}`, "data-from": from },
      element("p", { class: "author" }, texts[from]),
      element("p", { class: "said", dir: "auto" }, said),
      roundTrip !== undefined && element("p", { class: "trip" }, texts.roundTrip(milliseconds(roundTrip))),
    );
  }
}
