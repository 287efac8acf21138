// Colours, type, the status line and the notice. Two hues carry meaning everywhere: blue is the browser, orange the server.
// What begins with `--hola-` a page may set; light or dark follows the page's `color-scheme`.

/** Each colour: what a page sets it by, in light, in dark. */
const COLOURS = {
  paper: ["paper", "#f7f6f3", "#15171b"],
  surface: ["surface", "#ffffff", "#1d2025"],
  sunken: ["sunken", "#f1efea", "#191b20"],
  ink: ["ink", "#1d1f23", "#eceae6"],
  "ink-soft": ["ink-soft", "#565a61", "#a9acb3"],
  rule: ["rule", "#dedbd3", "#33373e"],
  "rule-strong": ["rule-strong", "#8b8780", "#7b808a"],
  browser: ["accent", "#2456c0", "#93b5ff"],
  server: ["server", "#a5480f", "#f2a873"],
  "on-accent": ["on-accent", "#ffffff", "#10182a"],
  good: ["good", "#1d7a4a", "#6fcf9b"],
  bad: ["bad", "#b3261e", "#ff9d94"],
};

/** Hues that also come paler, for grounds and edges: made of the full one, so that a page has one colour to set. */
const PALE = ["browser", "server", "bad"]
  .map((hue) => `
  --${hue}-tint: color-mix(in srgb, var(--${hue}) 12%, var(--surface));
  --${hue}-rule: color-mix(in srgb, var(--${hue}) 36%, var(--surface));`)
  .join("");

const declare = (value) =>
  Object.entries(COLOURS)
    .map(([name, [hook, light, dark]]) => `--${name}: var(--hola-${hook}, ${value(light, dark)});`)
    .join("\n");

export const base = `
:host {
  ${declare((light) => light)}${PALE}
  --radius: var(--hola-radius, 0.75rem);
  --sans: var(--hola-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif);
  --mono: var(--hola-mono, ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace);
  display: block;
  color: var(--ink);
  font: 400 0.9375rem / 1.55 var(--sans);
  letter-spacing: normal;
  text-align: start;
  text-transform: none;
  overflow-wrap: break-word;
}

@supports (color: light-dark(#000, #fff)) {
  :host {
    ${declare((light, dark) => `light-dark(${light}, ${dark})`)}
  }
}

:host([hidden]),
[hidden] {
  display: none !important;
}

*,
*::before,
*::after {
  box-sizing: border-box;
}

p, ol, pre {
  margin: 0;
}

ol {
  padding: 0;
  list-style: none;
}

code, pre {
  font-family: var(--mono);
  font-size: 0.875em;
  font-variant-ligatures: none;
}

a {
  color: var(--browser);
  text-decoration-thickness: 0.06em;
  text-underline-offset: 0.2em;
}

:focus-visible {
  outline: 0.1875rem solid var(--browser);
  outline-offset: 0.125rem;
  border-radius: 0.25rem;
}

.hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.root {
  position: relative;
  border: 1px solid var(--rule);
  border-radius: var(--radius);
  background: var(--surface);
}

.title {
  font-weight: 650;
  line-height: 1.3;
}

.small {
  color: var(--ink-soft);
  font-size: 0.8125rem;
}

.status {
  display: flex;
  align-items: center;
  gap: 0.75rem;
  min-height: 3.25rem;
  padding: 0.5rem 0.625rem 0.5rem 1rem;
}

.status > .text {
  display: flex;
  flex: 1;
  align-items: center;
  gap: 0.5rem;
  min-width: 0;
  font-weight: 500;
  line-height: 1.3;
}

.light {
  flex: none;
  width: 0.625rem;
  height: 0.625rem;
  border: 2px solid var(--rule-strong);
  border-radius: 50%;
}

[data-status="connecting"] .light,
[data-status="reconnecting"] .light,
[data-status="silent"] .light {
  border-color: var(--browser);
  border-right-color: transparent;
}

[data-status="open"] .light {
  border-color: var(--good);
  background: var(--good);
}

[data-status="failed"] .light {
  border-color: var(--bad);
  border-radius: 0.125rem;
  background: var(--bad);
}

.session {
  padding: 0.0625rem 0.5rem;
  border: 1px solid var(--rule);
  border-radius: 1rem;
  color: var(--ink-soft);
  font-size: 0.75rem;
}

/* The status alone stays short. */
.in-status .session {
  display: none;
}

.button {
  flex: none;
  min-height: 2.75rem;
  padding: 0.5rem 1rem;
  border: 1px solid transparent;
  border-radius: calc(var(--radius) * 2 / 3);
  background: var(--browser);
  color: var(--on-accent);
  font: inherit;
  font-weight: 600;
  cursor: pointer;
}

.button:hover {
  background: color-mix(in srgb, var(--browser) 85%, var(--ink));
}

.button[aria-disabled="true"] {
  background: var(--rule);
  color: var(--ink-soft);
  cursor: not-allowed;
}

.button.quiet {
  min-height: 2.25rem;
  padding: 0.25rem 0.75rem;
  border-color: var(--rule-strong);
  background: none;
  color: var(--ink);
  font-size: 0.8125rem;
}

.button.quiet:hover {
  border-color: var(--ink);
}

.notice {
  margin: 0 1rem 1rem;
  padding: 0.75rem 1rem;
  border: 1px solid var(--bad-rule);
  border-left: 0.25rem solid var(--bad);
  border-radius: calc(var(--radius) * 2 / 3);
  background: var(--bad-tint);
}

.notice .title {
  color: var(--bad);
}

.notice p + p {
  margin-top: 0.375rem;
}

.notice a {
  font-weight: 600;
}

@media (pointer: coarse) {
  .button.quiet {
    min-height: 2.75rem;
  }
}

@media (prefers-reduced-motion: no-preference) {
  .button {
    transition: background-color 120ms ease-out, border-color 120ms ease-out;
  }

  [data-status="connecting"] .light,
  [data-status="reconnecting"] .light,
  [data-status="silent"] .light {
    animation: turn 800ms linear infinite;
  }

  @keyframes turn {
    to { rotate: 1turn; }
  }
}

@media (forced-colors: active) {
  .button, .node {
    border: 1px solid ButtonText;
  }
}
`;
