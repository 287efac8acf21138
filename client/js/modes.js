// How a channel asks for the framing: by the prefix of its protocol (docs/framing.md).

// The browser's options of a channel.
export const initOf = ({ large, resumable, ...init }) => {
  if (!large && !resumable) return init;
  if (init.ordered === false || init.maxRetransmits != null || init.maxPacketLifeTime != null) {
    throw new TypeError("a channel that is large or resumable has to be ordered and reliable");
  }
  const prefix = `hola.${resumable ? "resumable" : "framed"}.1`;
  return { ...init, protocol: init.protocol ? `${prefix}:${init.protocol}` : prefix };
};

// What the other side asks for, and what is left of its protocol.
export const modeOf = (protocol) => {
  const framed = /^hola\.(?:framed|resumable)\.1(?::(.*))?$/s.exec(protocol);
  return { framed, own: framed ? (framed[1] ?? "") : protocol };
};
