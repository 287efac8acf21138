// The eight steps as a sequence diagram: the browser's line on the left, the server's on the right.

import { DataView } from "./data.js";
import { element, setAttribute, setText, spoken } from "./dom.js";
import { bytes, durationAttribute, milliseconds, sinceStart } from "./format.js";
import { calls, specs } from "./specs.js";
import { partsOf } from "./steps.js";

const NUMBERS = ["1", "2", "3", "4", "5", "6", "7", "8"];

/** Who takes a step. */
const ACTORS = { 6: "server", 8: "both" };

/** What travels between the two when a step is taken. */
const DIRECTIONS = { 5: "to-server", 6: "to-browser", 8: "both" };

export class LessonView {
  root;
  #items;

  constructor(texts) {
    this.#items = NUMBERS.map((number) => new StepView(texts, number));
    const actor = (name) => element("span", { class: `actor ${name}` }, texts[name]);
    this.root = element(
      "div",
      { class: "lesson" },
      element("p", { class: "actors", "aria-hidden": "true" }, actor("browser"), actor("server")),
      element(
        "ol",
        { class: "steps", part: "steps", role: "list", "aria-label": texts.steps },
        this.#items.map((item) => item.root),
      ),
    );
  }

  update({ steps }) {
    for (const item of this.#items) item.update(steps);
  }
}

/** One of the eight steps, with its parts if it has any. */
class StepView {
  root;
  #texts;
  #number;
  #head;
  #wire;
  #parts;
  #data;

  constructor(texts, number) {
    const labels = partsOf(number);
    const isWhole = labels.length === 1;
    const actor = ACTORS[number] ?? "browser";
    this.#texts = texts;
    this.#number = number;
    this.#head = new HeadView(texts, number, isWhole, texts.actors[actor]);
    this.#data = isWhole ? new DataView(texts) : undefined;
    this.#parts = isWhole ? [] : labels.map((label) => new PartView(texts, label));
    const parts = this.#parts.map((part) => part.root);
    const direction = DIRECTIONS[number];
    this.#wire = direction && element("p", { class: "wire", "data-direction": direction, "aria-hidden": "true" });
    const node = (side) => element("span", { class: `node ${side}`, "aria-hidden": "true" }, number);
    this.root = element(
      "li",
      { class: "step", "data-step": number },
      element(
        "div",
        { class: "content" },
        this.#head.nodes,
        this.#data?.root,
        parts.length > 0 && element("ol", { class: "parts", role: "list" }, parts),
      ),
      actor !== "server" && node("browser"),
      actor !== "browser" && node("server"),
      this.#wire,
    );
  }

  update(steps) {
    const progress = steps.overview(this.#number);
    mark(this.root, "step", progress.state);
    setAttribute(this.root, "aria-current", progress.state === "active" ? "step" : undefined);
    this.#head.update(progress);
    this.#data?.update(steps.of(this.#number));
    for (const part of this.#parts) part.update(steps);
    if (!this.#wire) return;
    const isSent = this.#number === "5" ? steps.of("5").last("request") : progress.state === "done";
    setAttribute(this.#wire, "data-sent", isSent ? "" : undefined);
    const name = this.#texts.wires[this.#number];
    setText(this.#wire, [name, loadOf(steps, this.#number)].filter(Boolean).join(" · "));
  }
}

/** A part of step 6 or 8. */
class PartView {
  root;
  #label;
  #head;
  #data;

  constructor(texts, label) {
    this.#label = label;
    this.#head = new HeadView(texts, label, true);
    this.#data = new DataView(texts);
    this.root = element("li", { class: "part", "data-step": label }, this.#head.nodes, this.#data.root);
  }

  update(steps) {
    const step = steps.of(this.#label);
    mark(this.root, "substep", step.state);
    // The server's clock is not the browser's: of its parts we know how long they took, not when.
    this.#head.update({ ...step, at: this.#label.startsWith("6") ? undefined : step.at });
    this.#data.update(step);
  }
}

/** What a step is called, what happens in it, since when and how long. */
class HeadView {
  nodes;
  #texts;
  #actor;
  #state = spoken("");
  #at;
  #took;

  constructor(texts, label, hasSpecification, actor) {
    this.#texts = texts;
    this.#actor = actor;
    this.#at = element("time", { title: texts.sinceStart });
    this.#took = element("span");
    const [title, text] = texts.step[label];
    const isPart = label.length > 1;
    const link = hasSpecification && [
      " ",
      element(
        "a",
        {
          class: "spec",
          href: specs[label],
          target: "_blank",
          rel: "noopener noreferrer",
          "aria-label": texts.specification(calls[label]),
        },
        element("code", { translate: "no" }, calls[label]),
      ),
    ];
    const number = isPart
      ? element("span", { class: "label" }, label)
      : spoken(`${texts.stepNumber(label)} `);
    this.nodes = [
      element(
        "div",
        { class: "head" },
        element("p", { class: "title" }, number, isPart && " ", title, this.#state),
        element("p", { class: "times" }, this.#at, this.#took),
      ),
      element("p", { class: "text" }, text, link),
    ];
  }

  update({ state, at, took }) {
    const texts = this.#texts;
    setText(this.#state, ` (${[this.#actor, texts.states[state]].filter(Boolean).join(", ")})`);
    setText(this.#at, at === undefined ? "" : sinceStart(at));
    setAttribute(this.#at, "datetime", at === undefined ? undefined : durationAttribute(at));
    setText(this.#took, took === undefined ? "" : texts.took(milliseconds(took)));
  }
}

/** Shows a state to style sheets, those of the page included. */
function mark(item, name, state) {
  setAttribute(item, "data-state", state);
  setAttribute(item, "part", `${name} ${state}`);
}

function loadOf(steps, number) {
  const request = steps.of("5").last("request");
  const response = steps.of("5").last("response");
  if (number === "5") return request && bytes(request.bytes);
  if (number === "6") return response && `HTTP ${response.status}`;
  const label = steps.of("8d").last("channel")?.label;
  return label && `«${label}»`;
}
