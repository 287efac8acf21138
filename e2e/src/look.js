// What the page shows at this moment, for `Snapshot`.
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const shown = (element) => element?.textContent.trim() ?? null;
const shownOf = (selector, root = document) => shown(one(selector, root));

const field = one("#message");
const notice = one("#notice[data-kind]");
return {
  language: document.documentElement.lang,
  text: document.body.innerText,
  can_start: one("#start") !== null && !one("#start").disabled,
  status: one("#status")?.dataset.status ?? null,
  session: one("#session")?.dataset.session || null,
  steps: all("#steps > li[data-step]").map((item) => ({
    step: item.dataset.step,
    state: item.dataset.state,
    time: one("time", item)?.dateTime || null,
  })),
  watched: all("tr[data-event]").map((row) => ({
    step: row.closest("[data-step]").dataset.step,
    event: row.dataset.event,
    time: one("time", row).dateTime || null,
  })),
  chat: all("#chat-log > li").map((item) => ({
    from: item.dataset.from,
    text: shownOf(".text", item) ?? "",
    rtt: shownOf(".rtt", item),
  })),
  field: field && { disabled: field.disabled, value: field.value, hint: shownOf("#message-hint") || null },
  notice: notice && { kind: notice.dataset.kind, text: shown(notice) },
};
