// How a channel asks for the framing: by the prefix of its protocol (docs/framing.md).

const FRAMED = "hola.framed.1";
const RESUMABLE = "hola.resumable.1";

// The browser's options of a channel.
export const initOf = ({ large, resumable, ...init }) => {
  if (!large && !resumable) return init;
  if (init.ordered === false || init.maxRetransmits != null || init.maxPacketLifeTime != null) {
    throw new TypeError("a channel that is large or resumable has to be ordered and reliable");
  }
  const prefix = resumable ? RESUMABLE : FRAMED;
  return { ...init, protocol: init.protocol ? `${prefix}:${init.protocol}` : prefix };
};

// What the other side asks for, and what is left of its protocol.
export const modeOf = (protocol) => {
  for (const prefix of [FRAMED, RESUMABLE]) {
    if (protocol === prefix) return { framed: prefix, own: "" };
    if (protocol.startsWith(`${prefix}:`)) return { framed: prefix, own: protocol.slice(prefix.length + 1) };
  }
  return { own: protocol };
};
