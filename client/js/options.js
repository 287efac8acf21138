// What the caller chose, looked at as the browser looks at dictionaries: what is left out has a default, what does not fit
// is a TypeError.

const misfit = (name, expected) => new TypeError(`the option ${name} has to be ${expected}`);

const millis = (options, name, otherwise) => {
  const value = options[name];
  if (value == null) return otherwise;
  if (!(value >= 0)) throw misfit(name, "a number of milliseconds");
  return +value;
};

const text = (options, name) => (options[name] == null ? undefined : String(options[name]));

export const connectOptions = (options) => {
  const gathering = options.gathering ?? "immediate";
  if (gathering !== "immediate" && gathering !== "complete") throw misfit("gathering", '"immediate" or "complete"');
  if (options.gate != null && typeof options.gate !== "function") throw misfit("gate", "a function");
  const iceServers = options.iceServers ?? [];
  if (!Array.isArray(iceServers)) throw misfit("iceServers", "an array");
  return {
    configuration: { iceServers },
    // How long to wait for all candidates, if at all.
    gathering: gathering === "complete" ? millis(options, "gatheringDeadline", 2000) : undefined,
    deadline: millis(options, "deadline", 15000),
    patience: millis(options, "patience", 5000),
    language: text(options, "language"),
    token: text(options, "token"),
  };
};
