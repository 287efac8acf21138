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

export class SendError extends Error {
  constructor({ message, kind }) {
    super(message);
    this.kind = kind;
  }
  get name() {
    return "SendError";
  }
}
