// The real data of a step, to be unfolded: descriptions, candidates, states. Long lines scroll inside their block.

import { element } from "./dom.js";
import { bytes, sinceStart, socket } from "./format.js";

/** The W3C's names of the state machines. */
const MACHINES = {
  signaling: "signalingState",
  "ice-gathering": "iceGatheringState",
  "ice-connection": "iceConnectionState",
  connection: "connectionState",
  "dtls-transport": "RTCDtlsTransport.state",
  "sctp-transport": "RTCSctpTransport.state",
  "data-channel": "RTCDataChannel.readyState",
};

export class DataView {
  root;
  #texts;
  #summary = element("summary");
  #body = element("div", { class: "facts" });
  #shown;
  #count = 0;

  constructor(texts) {
    this.#texts = texts;
    this.root = element("details", { class: "data", part: "data", hidden: true }, this.#summary, this.#body);
  }

  update({ data }) {
    if (data === this.#shown && data.length === this.#count) return;
    this.#shown = data;
    this.#count = data.length;
    const sections = this.#sections(data);
    this.root.hidden = sections.length === 0;
    this.#summary.replaceChildren(sections.map(([title]) => title).join(", "));
    this.#body.replaceChildren(
      ...sections.map(([title, ...content]) =>
        element("div", { class: "section" }, element("p", { class: "small" }, title), content),
      ),
    );
  }

  /** What there is, each with its title; the summary is made of the titles. */
  #sections(data) {
    const texts = this.#texts.data;
    const all = (kind) => data.filter((event) => event.event === kind);
    const sections = [];
    const add = (kind, title, show) => {
      const found = all(kind);
      if (found.length) sections.push([title(found), show(found)].flat());
    };
    const last = (found) => found[found.length - 1];
    add("failed", () => texts.failure, (found) => line(`${last(found).phase}: ${last(found).message}`));
    add("request", () => texts.request, (found) => line(`POST ${last(found).url} · ${bytes(last(found).bytes)}`));
    add("response", () => texts.response, (found) => line(reply(last(found))));
    add("description", (found) => texts[last(found).description.type], (found) => sdp(last(found).description.sdp));
    add("candidate-pair", () => texts.pair, (found) => this.#candidates(pair(last(found), this.#texts)));
    add("channel", () => texts.channel, (found) => this.#channel(last(found)));
    add("candidate", (found) => texts.candidatesCount(found.length), (found) => this.#candidates(found));
    add("candidate-error", () => texts.candidateFailures, (found) => found.map(failure));
    add("state", () => texts.states, (found) => this.#states(found));
    return sections;
  }

  #candidates(rows) {
    const texts = this.#texts.data;
    const hasSides = rows.some(({ side }) => side && !["client", "server"].includes(side));
    const head = [hasSides && "", texts.type, texts.address, texts.transport, texts.priority];
    const cells = ({ side, candidate }) => [
      hasSides && side,
      candidate.type,
      socket(candidate, texts.hidden),
      candidate.transport,
      String(candidate.priority),
    ];
    const isHidden = rows.some(({ candidate: { address } }) => !address || address.endsWith(".local"));
    return [
      table(texts.candidates, head, rows.map(cells)),
      isHidden && element("p", { class: "small" }, texts.hiddenNote),
    ];
  }

  #states(events) {
    const texts = this.#texts.data;
    const cells = ({ at, machine, state }) => [sinceStart(at), MACHINES[machine] ?? machine, state];
    return table(texts.states, [texts.when, texts.machine, texts.state], events.map(cells));
  }

  #channel({ label, id, max_message_size: limit }) {
    const texts = this.#texts.data;
    const head = [texts.label, texts.id, texts.limit];
    return table(texts.channel, head, [[label, String(id), limit ? bytes(limit) : texts.unlimited]]);
  }
}

const line = (text) => element("p", { class: "code" }, element("code", { translate: "no" }, text));

const reply = ({ status, session }) => [`HTTP ${status}`, session && `Location: /sessions/${session}`].filter(Boolean).join(" · ");

const failure = ({ url, code, text }) => line(`${url}: ${code} ${text}`);

const pair = ({ local, remote }, texts) => [
  { side: texts.browser, candidate: local },
  { side: texts.server, candidate: remote },
];

/** An SDP (RFC 8866), with the name of each line set apart from its value. */
function sdp(text) {
  const lines = text.trimEnd().split(/\r?\n/).flatMap((line) => {
    const name = /^(a=[^:]*:?|[a-z]=)/.exec(line)?.[0] ?? "";
    return [element("span", { class: "name" }, name), `${line.slice(name.length)}\n`];
  });
  return element("pre", { class: "sdp", tabindex: "0", role: "group", "aria-label": "SDP", translate: "no" }, lines);
}

function table(label, head, rows) {
  const isGiven = (cell) => cell !== false;
  const titles = head.filter(isGiven).map((title) => element(title ? "th" : "td", { scope: title ? "col" : undefined }, title));
  const body = rows.map((cells) =>
    element("tr", {}, cells.filter(isGiven).map((cell) => element("td", {}, element("code", {}, cell)))),
  );
  return element(
    "div",
    { class: "scroll", role: "group", tabindex: "0", "aria-label": label },
    element("table", { translate: "no" }, element("thead", {}, element("tr", {}, titles)), element("tbody", {}, body)),
  );
}
