// Numbers and lengths, in both languages alike: a point before the decimals, a narrow space before the unit.

/** Narrow, and no line breaks at it. */
const SPACE = "\u202f";

/** A length of time in milliseconds: `0.42 ms`, `12.3 ms`, `140 ms`, `1.25 s`. */
export function milliseconds(value) {
  const ms = Math.max(0, value);
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)}${SPACE}s`;
  return `${ms.toFixed(ms < 1 ? 2 : ms < 100 ? 1 : 0)}${SPACE}ms`;
}

/** A point in time in milliseconds since the start: `+12.3 ms`. */
export const sinceStart = (at) => (at < 1000 ? `+${at.toFixed(1)}${SPACE}ms` : `+${milliseconds(at)}`);

/** The same as the `datetime` of a `<time>`: a duration in seconds. */
export const durationAttribute = (at) => `PT${(at / 1000).toFixed(4)}S`;

/** A number of bytes: `512 B`, `1.2 kB`, `256 KiB`. */
export function bytes(value) {
  if (value < 1000) return `${value}${SPACE}B`;
  if (value % 1048576 === 0) return `${value / 1048576}${SPACE}MiB`;
  if (value % 1024 === 0) return `${value / 1024}${SPACE}KiB`;
  return `${(value / 1000).toFixed(1)}${SPACE}kB`;
}

/** An address and port; an address that the browser hides is given a name. */
export function socket({ address, port }, hidden) {
  if (!address) return `${hidden}:${port}`;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
