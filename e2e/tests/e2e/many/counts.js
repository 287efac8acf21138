// Counts what the modules hold: before anything else of the package is loaded.

// By what they are, as the package's names are short.
const instances = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = function (...parts) {
  const instance = new Instance(...parts);
  instances.push(instance.exports);
  return instance;
};

let registered = 0;
window.FinalizationRegistry = class extends window.FinalizationRegistry {
  constructor(callback) {
    super((held) => {
      registered--;
      callback(held);
    });
  }

  register(...parts) {
    registered++;
    super.register(...parts);
  }

  unregister(token) {
    const isGone = super.unregister(token);
    if (isGone) registered--;
    return isGone;
  }
};

// Values of JavaScript that a module holds have a place in a table each.
const places = (table) => {
  let taken = 0;
  for (let index = 0; index < table.length; index++) taken += table.get(index) != null;
  return taken;
};
const all = (type) => instances.flatMap(Object.values).filter((value) => value instanceof type);

/** What the modules hold of the page's values, and how many functions and objects they gave to it. */
window.counts = () => ({
  values: all(WebAssembly.Table).reduce((sum, table) => sum + places(table), 0),
  given: registered,
});
