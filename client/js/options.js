// What the caller chose, looked at as the browser looks at dictionaries: what is left out has a default, what does not fit
// is a TypeError.

const misfit = (name, expected) => new TypeError(`the option ${name} has to be ${expected}`);

const millis = (options, name, otherwise) => {
  const value = options[name];
  if (value == null) return otherwise;
  if (!(value >= 0)) throw misfit(name, "a number of milliseconds");
  return +value;
};

const header = (options, name, header, prefix) => {
  const value = options[name];
  if (value == null) return;
  if (!/^[ -~]*$/.test(value)) throw misfit(name, "what a header can hold");
  return { [header]: prefix + value };
};

// Whether to connect again, how often, and how long to wait between: by default from half a second on, up to half a minute.
// With `true` it has none of that, and all is as by default.
const reconnect = (options) => {
  if (!options) return;
  const attempts = options.attempts ?? Infinity;
  if (!(attempts >= 0)) throw misfit("reconnect.attempts", "a number");
  return { attempts, delay: millis(options, "delay", 500), maxDelay: millis(options, "maxDelay", 30000) };
};

export const connectOptions = (options) => {
  const gathering = options.gathering ?? "immediate";
  if (gathering !== "immediate" && gathering !== "complete") throw misfit("gathering", '"immediate" or "complete"');
  if (options.gate != null && typeof options.gate !== "function") throw misfit("gate", "a function");
  const iceServers = options.iceServers ?? [];
  if (!Array.isArray(iceServers)) throw misfit("iceServers", "an array");
  return {
    configuration: { iceServers },
    // How long to wait for all candidates; negative: not at all.
    gathering: gathering === "complete" ? millis(options, "gatheringDeadline", 2000) : -1,
    reconnect: reconnect(options.reconnect),
    deadline: millis(options, "deadline", 15000),
    patience: millis(options, "patience", 5000),
    gated: options.gate != null,
    headers: {
      ...header(options, "language", "Accept-Language", ""),
      ...header(options, "token", "Authorization", "Bearer "),
    },
  };
};
