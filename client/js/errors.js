// The errors, as classes of their own. What they say comes from the module. Their names are on the prototypes, where those of the
// language's own errors are, whatever a minifier calls the classes.

export class RtcError extends Error {
  constructor({ message, ...details }) {
    super(message);
    Object.assign(this, details);
  }
  get name() {
    return "RtcError";
  }
}

// What does not load, in this step.
export const unloaded = (phase, step) => (cause) => {
  throw new RtcError({
    message: `a module does not load: ${cause?.message ?? cause}`,
    kind: "module",
    phase,
    step,
    hint: "Serve the package's files together, or .wasm in resourceBase. CSP: wasm-unsafe-eval, connect-src 'self'.",
    retryable: true,
    cause,
  });
};

export class SendError extends Error {
  constructor({ message, kind }) {
    super(message);
    this.kind = kind;
  }
  get name() {
    return "SendError";
  }
}
