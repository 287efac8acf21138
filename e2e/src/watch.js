// What the browser holds against a page, noted before anything else in it runs.
window.violations = [];
window.faults = [];
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
  violations.push(`${effectiveDirective} ${blockedURI}`),
);
addEventListener("error", ({ message }) => faults.push(message ?? "something did not load"), true);
addEventListener("unhandledrejection", ({ reason }) => faults.push(`rejected: ${reason}`));
