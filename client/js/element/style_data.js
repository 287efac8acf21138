// The parts of a step, and its real data, unfolded.

export const data = `
.parts {
  margin-top: 0.5rem;
  border-top: 1px solid var(--rule);
}

.part {
  padding-block: 0.5rem;
  border-bottom: 1px solid var(--rule);
}

.part:last-child {
  padding-bottom: 0;
  border-bottom: 0;
}

.part .title {
  font-weight: 600;
}

.label {
  display: inline-block;
  min-width: 1.75rem;
  color: var(--ink-soft);
  font-variant-numeric: tabular-nums;
}

.part[data-state="done"] .label { color: var(--server); }
[data-step="8"] .part[data-state="done"] .label { color: var(--good); }

.part > .text,
.part > .data {
  margin-left: 1.75rem;
}

.data {
  margin-top: 0.125rem;
}

summary {
  display: inline-block;
  margin-left: -0.5rem;
  padding: 0.25rem 0.5rem;
  border-radius: 0.375rem;
  color: var(--browser);
  font-size: 0.8125rem;
  font-weight: 600;
  list-style: none;
  cursor: pointer;
}

summary::-webkit-details-marker {
  display: none;
}

summary::before {
  content: "";
  display: inline-block;
  width: 0.4375rem;
  height: 0.4375rem;
  margin: 0 0.5rem 0.0625rem 0.0625rem;
  border: solid currentcolor;
  border-width: 2px 2px 0 0;
  rotate: 45deg;
}

[open] > summary::before {
  rotate: 135deg;
  translate: 0 -0.125rem;
}

summary:hover {
  background: var(--browser-tint);
}

.facts {
  display: grid;
  gap: 0.875rem;
  margin-top: 0.375rem;
  padding: 0.75rem 0.875rem;
  border: 1px solid var(--rule);
  border-radius: calc(var(--radius) * 2 / 3);
  background: var(--surface);
}

.section {
  min-width: 0;
}

.section > .small:first-child {
  margin-bottom: 0.25rem;
  font-weight: 600;
}

.code {
  overflow-wrap: anywhere;
}

.sdp {
  max-height: 20rem;
  overflow: auto;
  padding: 0.625rem 0.75rem;
  border-radius: 0.375rem;
  background: var(--sunken);
  font-size: 0.8125rem;
  line-height: 1.65;
}

.name {
  color: var(--browser);
}

.scroll {
  overflow-x: auto;
}

table {
  width: 100%;
  border-collapse: collapse;
  font-size: 0.8125rem;
}

th,
td {
  padding: 0.25rem 0.75rem 0.25rem 0;
  border-bottom: 1px solid var(--rule);
  text-align: left;
  white-space: nowrap;
}

th {
  color: var(--ink-soft);
  font-weight: 500;
}

td code {
  font-size: inherit;
}

tbody tr:last-child > * {
  border-bottom: 0;
}

/* Where there is room the chat stands beside the steps, and stays in sight. */
@container (min-width: 58rem) {
  .in-lesson > .body {
    grid-template-columns: minmax(0, 1fr) minmax(18rem, 22rem);
    gap: 2rem;
    padding: 1.25rem 1.5rem 1.5rem;
  }

  .in-lesson .talk {
    position: sticky;
    top: 1rem;
  }

  .in-lesson .log {
    height: var(--hola-log-height, 24rem);
  }
}

/* On a phone there is no room for the session's name, and the data take the whole width, over the lines of both actors. */
@container (max-width: 32rem) {
  .session {
    display: none;
  }

  .lesson {
    --lane: 0.75rem;
    --node: 1.625rem;
  }

  .in-lesson > .body {
    padding: 0.75rem;
  }

  .facts {
    position: relative;
    z-index: 1;
    margin-inline: calc(-1 * (var(--lane) + var(--node) / 2 + 0.625rem));
  }

  .part > .text,
  .part > .data {
    margin-left: 0;
  }
}

@media (prefers-reduced-motion: no-preference) {
  .node {
    transition: background-color 200ms ease-out, border-color 200ms ease-out;
  }
}
`;
