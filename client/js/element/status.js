// How the connection is, in one line, with the one thing that can be done about it.

import { element, setAttribute, setText } from "./dom.js";
import { milliseconds } from "./format.js";

/** The status in which the button starts, and not stops. */
const IDLE = ["idle", "closed", "failed"];

export class StatusView {
  root;
  #texts;
  #text;
  #session;
  #button;
  #status = "idle";

  constructor(texts, act) {
    this.#texts = texts;
    this.#text = element("span");
    this.#session = element("code", { class: "session", part: "session", translate: "no", hidden: true });
    this.#button = element("button", {
      type: "button",
      class: "button quiet",
      part: "button",
      click: () => (IDLE.includes(this.#status) ? act.start() : act.stop()),
    });
    const light = element("span", { class: "light", "aria-hidden": "true" });
    const status = element("p", { class: "text", role: "status" }, light, this.#text);
    this.root = element("div", { class: "status", part: "status" }, status, this.#session, this.#button);
  }

  update({ status, session, steps, error, src }) {
    const texts = this.#texts;
    this.#status = status;
    setAttribute(this.root, "data-status", status);
    setAttribute(this.root, "part", `status ${status}`);
    setText(this.#text, this.#say(status, steps, error));
    const id = session?.id;
    this.#session.hidden = !id || IDLE.includes(status);
    setText(this.#session, id?.slice(0, 8));
    setAttribute(this.#session, "title", id && texts.sessionTitle(id));
    this.#button.hidden = !src;
    setText(this.#button, this.#offer(status));
  }

  focus(options) {
    this.#button.focus(options);
  }

  #say(status, steps, error) {
    const texts = this.#texts;
    const { openedAt } = steps;
    if (status === "open" && openedAt !== undefined) return texts.openAfter(milliseconds(openedAt));
    return status === "failed" && error?.kind === "lost" ? texts.status.lost : texts.status[status];
  }

  #offer(status) {
    const texts = this.#texts;
    if (status === "connecting" || status === "reconnecting") return texts.cancel;
    if (status === "idle") return texts.start;
    return IDLE.includes(status) ? texts.again : texts.close;
  }
}
