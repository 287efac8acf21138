// The lesson: a sequence diagram, with the real data of each step.

export const lesson = `
.lesson {
  --lane: 1rem;
  --node: 2rem;
  min-width: 0;
}

.in-lesson {
  container-type: inline-size;
  background: var(--paper);
}

.in-lesson > .status {
  border-bottom: 1px solid var(--rule);
  border-radius: var(--radius) var(--radius) 0 0;
  background: var(--surface);
}

.in-lesson > .notice {
  margin-top: 1rem;
}

.in-lesson > .body {
  display: grid;
  gap: 1.25rem;
  align-items: start;
  padding: 1rem;
}

.in-lesson .talk {
  border: 1px solid var(--rule);
  border-radius: var(--radius);
  background: var(--surface);
  overflow: hidden;
}

.actors {
  display: flex;
  justify-content: space-between;
  margin-bottom: 0.5rem;
  font-size: 0.8125rem;
  font-weight: 600;
}

.actor.browser { color: var(--browser); }
.actor.server { color: var(--server); }

.steps {
  position: relative;
}

.steps::before,
.steps::after {
  content: "";
  position: absolute;
  inset-block: 0;
  width: 2px;
}

.steps::before {
  left: calc(var(--lane) - 1px);
  background: var(--browser-rule);
}

.steps::after {
  right: calc(var(--lane) - 1px);
  background: var(--server-rule);
}

.step {
  position: relative;
  padding-block: 0.5rem;
}

.content {
  margin-inline: calc(var(--lane) + var(--node) / 2 + 0.625rem);
  padding-top: 0.25rem;
}

.head {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  justify-content: space-between;
  gap: 0 1rem;
}

.head > .title {
  flex: 1 1 11rem;
}

.step > .content > .head > .title {
  font-size: 1.0625rem;
}

.content .text {
  max-width: 38rem;
  color: var(--ink-soft);
  text-wrap: pretty;
}

[data-state="pending"] > .content > .head > .title,
.part[data-state="pending"] > .head > .title {
  color: var(--ink-soft);
}

[data-state="failed"] > .content > .head > .title,
.part[data-state="failed"] > .head > .title {
  color: var(--bad);
}

.spec {
  display: inline-block;
  max-width: 100%;
  color: var(--ink-soft);
  text-decoration-color: var(--rule-strong);
  overflow-wrap: anywhere;
}

.spec:hover {
  color: var(--ink);
}

.times {
  display: flex;
  gap: 0.625rem;
  color: var(--ink-soft);
  font-size: 0.8125rem;
  font-variant-numeric: tabular-nums;
  white-space: nowrap;
}

.times > :empty {
  display: none;
}

.times time {
  color: var(--ink);
  font-weight: 600;
}

/* The number, on the line of whoever takes the step: an outline until it is taken, filled once it is. */
.node {
  position: absolute;
  z-index: 1;
  top: 0.5rem;
  display: grid;
  place-items: center;
  width: var(--node);
  height: var(--node);
  border: 2px solid var(--rule-strong);
  border-radius: 50%;
  background: var(--paper);
  color: var(--ink-soft);
  font-size: 0.875rem;
  font-weight: 700;
}

.node.browser {
  --actor: var(--browser);
  left: calc(var(--lane) - var(--node) / 2);
}

.node.server {
  --actor: var(--server);
  right: calc(var(--lane) - var(--node) / 2);
}

[data-state="active"] > .node {
  border-color: var(--actor);
  color: var(--actor);
  box-shadow: 0 0 0 0.25rem color-mix(in srgb, var(--actor) 22%, transparent);
}

[data-state="done"] > .node {
  border-color: var(--actor);
  background: var(--actor);
  color: var(--paper);
}

[data-state="failed"] > .node {
  border-color: var(--bad);
  border-radius: 0.375rem;
  background: var(--bad);
  color: var(--paper);
}

/* What travels between the two. */
.wire {
  --load: var(--rule-strong);
  display: flex;
  align-items: center;
  gap: 0.625rem;
  height: 1.5rem;
  margin: 0.375rem calc(var(--lane) + 0.25rem) 0;
  color: var(--ink-soft);
  font-size: 0.8125rem;
}

.wire::before,
.wire::after {
  content: "";
  flex: 1;
  height: 0.625rem;
  background:
    linear-gradient(var(--load), var(--load)) center / 100% 2px no-repeat;
  opacity: 0.45;
}

.wire[data-direction="to-server"]::after,
.wire[data-direction="both"]::after {
  clip-path: polygon(0 40%, calc(100% - 0.625rem) 40%, calc(100% - 0.625rem) 0, 100% 50%, calc(100% - 0.625rem) 100%, calc(100% - 0.625rem) 60%, 0 60%);
  background: var(--load);
}

.wire[data-direction="to-browser"]::before,
.wire[data-direction="both"]::before {
  clip-path: polygon(0 50%, 0.625rem 0, 0.625rem 40%, 100% 40%, 100% 60%, 0.625rem 60%, 0.625rem 100%);
  background: var(--load);
}

.wire[data-sent] {
  --load: var(--browser);
  color: var(--load);
  font-weight: 600;
}

.wire[data-sent][data-direction="to-browser"] { --load: var(--server); }
.wire[data-sent][data-direction="both"] { --load: var(--good); }

.wire[data-sent]::before,
.wire[data-sent]::after {
  opacity: 1;
}
`;
