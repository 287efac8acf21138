// What `<hola-webrtc>` shows at this moment, for `Element`.
const host = document.querySelector("hola-webrtc");
const root = host?.shadowRoot;
const one = (selector, within = root) => within?.querySelector(selector) ?? null;
const all = (selector) => [...(root?.querySelectorAll(selector) ?? [])];
const textOf = (element) => element?.textContent.trim() ?? null;

return {
  status: one("[part~=status]")?.dataset.status ?? null,
  session: host?.session?.id ?? null,
  language: one("[part=root]")?.lang || null,
  text: one("[part=root]")?.innerText ?? "",
  steps: all("[part~=step]").map((item) => ({
    step: item.dataset.step,
    state: item.dataset.state,
    time: one("time", item)?.dateTime || null,
  })),
  titles: all("[part~=step]").map((item) => one(".title", item).childNodes[1].textContent),
  data: all("details:not([hidden])").map(textOf),
  chat: all("[part~=message]").map((item) => ({
    from: item.dataset.from,
    text: textOf(one(".said", item)),
    rtt: textOf(one(".trip", item)),
  })),
  notice: textOf(one("[part=notice]:not([hidden])")),
  violations: window.violations ?? [],
  faults: window.faults ?? [],
};
