// The entry `hola-webrtc/element`: the element <hola-webrtc>, with its attributes, properties, and life in a document.
//
//   <script type="module" src="…/hola-webrtc/element.js"></script>
//   <hola-webrtc src="https://your-server:8443/" lang="en"></hola-webrtc>

import { connect } from "./index.js";
import { Conversation } from "./element/conversation.js";
import { languageOf, textsIn } from "./element/language.js";
import { adoptStyles } from "./element/style.js";
import { View } from "./element/view.js";

const MODES = ["chat", "status", "lesson"];

/** Attributes that say with whom to talk: another value ends the session and begins a new one. */
const TARGET = ["src", "label", "token", "reconnect"];

/** Properties that a script may have set before the element was defined. */
const PROPERTIES = ["src", "label", "token", "mode", "reconnect"];

// Where a server renders the page there are no elements, but the module can be imported all the same.
const Base = globalThis.HTMLElement ?? class {};

export class HolaWebrtcElement extends Base {
  static observedAttributes = [...TARGET, "lang", "mode"];

  #conversation = new Conversation({
    connect,
    changed: () => this.#view?.update(this.#conversation),
    // As those of WebSocket they do not bubble: a page's own listeners for `message` and `error` are on its window,
    // and a dialog's for `close` on an ancestor.
    emit: (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail })),
  });
  #view;
  #shown = "";
  #target = "";
  #isSettling = false;
  #languages;

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
  }

  /** The server's address, resolved as that of an image; empty if there is none. */
  get src() {
    const given = this.getAttribute("src");
    if (given === null) return "";
    try {
      return new URL(given, this.baseURI).href;
    } catch {
      return given;
    }
  }

  set src(value) {
    this.setAttribute("src", value);
  }

  /** The label of the channel. */
  get label() {
    return this.getAttribute("label") ?? "chat";
  }

  set label(value) {
    this.setAttribute("label", value);
  }

  /** What the server wants to see before it answers. */
  get token() {
    return this.getAttribute("token") ?? "";
  }

  set token(value) {
    this.setAttribute("token", value);
  }

  /** What is shown: "chat", "status" or "lesson". */
  get mode() {
    const given = this.getAttribute("mode")?.toLowerCase();
    return MODES.includes(given) ? given : MODES[0];
  }

  set mode(value) {
    this.setAttribute("mode", value);
  }

  /** Whether a lost connection is made anew. */
  get reconnect() {
    return this.hasAttribute("reconnect");
  }

  set reconnect(value) {
    this.toggleAttribute("reconnect", Boolean(value));
  }

  /** The session of this moment, or the last one; `undefined` before the first. */
  get session() {
    return this.#conversation.session;
  }

  focus(options) {
    this.#view?.focus(options);
  }

  connectedCallback() {
    for (const name of PROPERTIES) this.#upgrade(name);
    adoptStyles(this.shadowRoot);
    this.#languages ??= new MutationObserver(() => this.#draw());
    this.#languages.observe(this.ownerDocument, { subtree: true, attributeFilter: ["lang"] });
    this.#draw();
    this.#settle();
  }

  disconnectedCallback() {
    this.#languages?.disconnect();
    this.#settle();
  }

  /** Moved by `moveBefore`: nothing changes, where without this the element would be taken out and put back in. */
  connectedMoveCallback() {}

  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (TARGET.includes(name)) this.#settle();
    else this.#draw();
  }

  /** A value set before there was a setter hides it. */
  #upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value;
  }

  /** Draws anew where mode or language are others; the session goes on. */
  #draw() {
    const language = languageOf(this);
    const shown = `${this.mode} ${language}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#view = new View(this.mode, language, textsIn(language), {
      send: (text) => this.#conversation.send(text),
      start: () => this.#start(),
      stop: () => this.#conversation.stop(),
    });
    this.shadowRoot.replaceChildren(this.#view.root);
    this.#view.update(this.#conversation);
  }

  /**
   * Connects to what the attributes name, or leaves. Not at once: who moves the element takes it out and puts it back
   * in one go, and who sets several attributes sets one after the other.
   */
  #settle() {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      const target = this.isConnected && this.src ? TARGET.map((name) => this.getAttribute(name)).join("\n") : "";
      if (target === this.#target) return;
      this.#target = target;
      this.#conversation.src = this.src;
      this.#conversation.stop();
      if (target) {
        this.#conversation.clear();
        this.#start();
      }
    });
  }

  #start() {
    const { src, label, token, reconnect } = this;
    const language = languageOf(this);
    this.#conversation.start(src, { token: token || undefined, language, reconnect, channel: { label } });
  }
}

// The same module may be loaded from two addresses.
if (globalThis.customElements && !customElements.get("hola-webrtc")) {
  customElements.define("hola-webrtc", HolaWebrtcElement);
}
