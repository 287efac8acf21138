// The trace, folded into what is shown of each step. No document in here: events go in, the state of the fifteen steps and
// parts of steps comes out.

/** Every step and part of a step, in order. */
export const STEPS = ["1", "2", "3", "4", "5", "6a", "6b", "6c", "6d", "6e", "7", "8a", "8b", "8c", "8d"];

/** The parts of the step with this number, or the step itself if it has none. */
export const partsOf = (number) => STEPS.filter((step) => step.startsWith(number));

/** How far a step is, since when and how long it took (ms), and what became known in it. */
class Step {
  state = "pending";
  at;
  took;
  /** The events that tell something, in order; a candidate told twice stands once. */
  data = [];
  #known = new Set();

  add(event) {
    const key = event.event === "candidate" && JSON.stringify(event.candidate);
    if (key && this.#known.has(key)) return;
    if (key) this.#known.add(key);
    this.data.push(event);
  }

  /** The last event of a kind. */
  last(kind) {
    return this.data.findLast((event) => event.event === kind);
  }
}

export class Steps {
  #steps = new Map(STEPS.map((label) => [label, new Step()]));

  /** Takes in the next event of the trace. */
  apply(event) {
    // A new session, after the last one was lost.
    if (event.step === "1" && event.event === "began") this.#steps = new Steps().#steps;
    const step = this.#steps.get(event.step);
    if (!step) return;
    switch (event.event) {
      case "began":
        this.#finishBefore(event.step);
        step.state = "active";
        step.at = event.at;
        break;
      case "done":
        this.#finishBefore(event.step);
        step.state = "done";
        step.took = event.took;
        step.at ??= Math.max(0, event.at - event.took);
        break;
      case "failed":
        step.state = "failed";
        step.at ??= event.at;
        step.add(event);
        break;
      default:
        step.add(event);
    }
  }

  /** A step or a part of a step. */
  of(label) {
    return this.#steps.get(label);
  }

  /** How far a step is as a whole, with all its parts: `{ state, at, took }`. */
  overview(number) {
    const parts = partsOf(number).map((label) => this.of(label));
    const state = this.#stateOf(number, parts);
    const known = (list) => list.filter((value) => value !== undefined);
    if (number === "6") {
      // The server's parts come with the reply, and its clock is not ours: what the browser can tell is when it turned
      // to the server. How long it took the server says.
      const took = known(parts.map((part) => part.took));
      const sum = took.length ? took.reduce((sum, took) => sum + took) : undefined;
      return { state, at: state === "pending" ? undefined : this.of("5").at, took: sum };
    }
    const begun = known(parts.map((part) => part.at));
    if (!begun.length) return { state };
    const at = Math.min(...begun);
    const ends = known(parts.map(({ at, took }) => (took === undefined ? undefined : at + took)));
    return { state, at, took: state === "done" && ends.length ? Math.max(...ends) - at : undefined };
  }

  /** When the channel opened, in milliseconds since the negotiation began. */
  get openedAt() {
    const { state, at, took } = this.of("8d");
    return state === "done" && took !== undefined ? at + took : undefined;
  }

  #stateOf(number, parts) {
    const states = parts.map((part) => part.state);
    if (states.includes("failed")) return "failed";
    if (states.every((state) => state === "done")) return "done";
    const hasBegun = states.some((state) => state !== "pending");
    return hasBegun || (number === "6" && this.#isServerAnswering()) ? "active" : "pending";
  }

  /** The request is out and the reply is not there yet. */
  #isServerAnswering() {
    const sending = this.of("5");
    return sending.state === "active" && Boolean(sending.last("request")) && !sending.last("response");
  }

  /**
   * A step that begins or ends proves that those before it are over, even where nobody reported their end, as with a
   * server that sends no timings.
   */
  #finishBefore(label) {
    for (const earlier of STEPS.slice(0, STEPS.indexOf(label))) {
      const step = this.of(earlier);
      if (step.state !== "failed") step.state = "done";
    }
  }
}
