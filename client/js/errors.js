// The errors, as classes of their own. What they say comes from the module.

export class RtcError extends Error {
  constructor({ message, ...details }) {
    super(message);
    Object.assign(this, details);
  }
}

export class SendError extends Error {
  constructor({ message, kind }) {
    super(message);
    this.kind = kind;
  }
}

// On the prototypes, where the names of the language's own errors are, whatever a minifier calls the classes.
for (const [type, name] of [
  [RtcError, "RtcError"],
  [SendError, "SendError"],
]) {
  Object.defineProperty(type.prototype, "name", { value: name });
}
