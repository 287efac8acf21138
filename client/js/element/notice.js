// What went wrong and what to do about it.

import { element } from "./dom.js";

export class NoticeView {
  root = element("div", { class: "notice", part: "notice", role: "alert", hidden: true });
  #texts;
  #told;

  constructor(texts) {
    this.#texts = texts.notice;
  }

  update({ error, closeInfo, src }) {
    const told = error ?? (closeInfo?.by === "remote" ? closeInfo : undefined);
    if (told === this.#told) return;
    this.#told = told;
    this.root.hidden = !told;
    this.root.replaceChildren(...(told ? this.#tell(error, src) : []));
  }

  #tell(error, src) {
    const url = originOf(src);
    const kind = kindOf(error, url);
    const [title, text] = this.#texts[kind];
    const { cause } = error ?? {};
    const facts = { url, status: cause, step: error?.step, code: cause?.status, detail: cause?.detail };
    const link = kind === "certificate" && [
      element("a", { href: url, target: "_blank", rel: "noopener" }, this.#texts.open(url)),
    ];
    const detail = error && [
      `${this.#texts.cause}: `,
      element("code", { lang: "en" }, [error.kind, error.message].filter(Boolean).join(": ")),
    ];
    return [
      element("p", { class: "title" }, title),
      element("p", {}, text(facts)),
      link && element("p", {}, link),
      detail && element("p", { class: "small" }, detail),
    ].filter(Boolean);
  }
}

/** Which of the texts it is that helps. */
function kindOf(error, url) {
  if (!error) return "remote";
  const { kind, cause } = error;
  if (kind === "server-unreachable") {
    // Only a server of another origin may lack an accepted certificate: from its own the page would not have come.
    return url === location.origin ? "unreachable" : "certificate";
  }
  if (kind === "refused") return cause?.code === "unavailable" ? "unavailable" : "refused";
  // The server says why it fails, so a bare failure is that of a proxy which does not reach it.
  if (kind === "unexpected-reply") return cause >= 500 ? "unreachable" : kind;
  const told = ["invalid-url", "timeout", "ice-failed", "dtls-failed", "unsupported", "lost"];
  return told.includes(kind) ? kind : "other";
}

/** What a person may open; what is no URL is shown as it was given. */
function originOf(src) {
  try {
    const { origin } = new URL(src);
    return origin === "null" ? src : origin;
  } catch {
    return src;
  }
}
