// What an element shows in a mode and a language: the status, and below it the lesson or the chat.

import { ChatView } from "./chat.js";
import { element } from "./dom.js";
import { LessonView } from "./lesson.js";
import { NoticeView } from "./notice.js";
import { StatusView } from "./status.js";

export class View {
  root;
  #views;
  #chat;
  #status;

  /** `act` has what can be done: `send(text)`, `start()`, `stop()`. */
  constructor(mode, language, texts, act) {
    const status = new StatusView(texts, act);
    const chat = mode === "status" ? undefined : new ChatView(texts, act);
    const lesson = mode === "lesson" ? new LessonView(texts) : undefined;
    const notice = new NoticeView(texts);
    this.#views = [status, notice, lesson, chat].filter(Boolean);
    this.#chat = chat;
    this.#status = status;
    const body = [lesson, chat].filter(Boolean).map((view) => view.root);
    this.root = element(
      "section",
      { class: `root in-${mode}`, part: "root", lang: language, "aria-label": texts.name },
      status.root,
      notice.root,
      body.length ? element("div", { class: "body" }, body) : undefined,
    );
  }

  /** Shows how the conversation is now. */
  update(conversation) {
    for (const view of this.#views) view.update(conversation);
  }

  focus(options) {
    (this.#chat ?? this.#status).focus(options);
  }
}
