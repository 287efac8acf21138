// The chat: ours on the right in the browser's colour, the server's on the left in its own.

export const chat = `
.talk {
  display: flex;
  flex-direction: column;
  min-width: 0;
}

.in-chat {
  container-type: inline-size;
}

.in-chat .talk {
  border-top: 1px solid var(--rule);
}

.window {
  position: relative;
  display: flex;
  flex: 1;
  min-height: 0;
}

.empty {
  position: absolute;
  inset: 0;
  display: grid;
  place-items: center;
  padding: 1.5rem;
  color: var(--ink-soft);
  font-size: 0.8125rem;
  text-align: center;
  text-wrap: balance;
  pointer-events: none;
}

.log {
  display: flex;
  flex: 1;
  flex-direction: column;
  gap: 0.75rem;
  height: var(--hola-log-height, 18rem);
  padding: 1rem;
  overflow-y: auto;
  overscroll-behavior: contain;
  background: var(--sunken);
}

.log:focus-visible {
  outline-offset: -0.1875rem;
}

.line {
  --hue: var(--server);
  align-self: flex-start;
  max-width: 88%;
}

.line[data-from="me"] {
  --hue: var(--browser);
  align-self: flex-end;
  text-align: right;
}

.author,
.trip {
  font-size: 0.75rem;
  line-height: 1.5;
}

.author {
  color: var(--hue);
  font-weight: 600;
}

.trip {
  color: var(--ink-soft);
  font-variant-numeric: tabular-nums;
}

.said {
  display: inline-block;
  max-width: 100%;
  padding: 0.4375rem 0.75rem;
  border: 1px solid var(--server-rule);
  border-radius: 0.25rem 0.875rem 0.875rem;
  background: var(--server-tint);
  text-align: start;
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

.line[data-from="me"] .said {
  border-color: var(--browser-rule);
  border-radius: 0.875rem 0.25rem 0.875rem 0.875rem;
  background: var(--browser-tint);
}

.line[data-from="echo"] .said {
  border-color: var(--rule-strong);
  border-style: dashed;
  background: none;
}

.form {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto;
  gap: 0.5rem;
  padding: 0.75rem;
  border-top: 1px solid var(--rule);
}

.input {
  width: 100%;
  min-height: 2.75rem;
  padding: 0.5rem 0.75rem;
  border: 1px solid var(--rule-strong);
  border-radius: calc(var(--radius) * 2 / 3);
  background: var(--surface);
  color: inherit;
  font: inherit;
  /* Below 16 px iOS zooms into the page. */
  font-size: 1rem;
}

.input:focus-visible {
  border-color: var(--browser);
  outline-width: 0.125rem;
  outline-offset: 0;
  border-radius: calc(var(--radius) * 2 / 3);
}

.input::placeholder {
  color: var(--ink-soft);
  opacity: 1;
}

.hint {
  grid-column: 1 / -1;
}

.hint:empty {
  display: none;
}

@media (prefers-reduced-motion: no-preference) {
  .line {
    animation: arrive 160ms ease-out;
  }

  @keyframes arrive {
    from { opacity: 0; translate: 0 0.25rem; }
  }
}
`;
