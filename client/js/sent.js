// The sizes of messages.

// Within a third of the limit a text need not be measured: UTF-8 takes up to three bytes for each of its units.
export const measure = (data, limit) => {
  if (typeof data !== "string") return data.byteLength;
  return data.length * 3 <= limit ? data.length : new Blob([data]).size;
};

// Of a plain channel, those of the messages that may still wait in the browser.
export class Sent {
  #sizes = [];
  #sum = 0;

  // Those that have left the browser are forgotten.
  add(size, waiting) {
    this.#sizes.push(size);
    this.#sum += size;
    while (this.#sizes.length && this.#sum - this.#sizes[0] >= waiting) this.#sum -= this.#sizes.shift();
  }

  // How many have at least a byte among those that wait. All are forgotten.
  take(waiting) {
    let count = 0;
    for (let bytes = 0; this.#sizes.length && bytes < waiting; count++) bytes += this.#sizes.pop();
    this.#sizes = [];
    this.#sum = 0;
    return count;
  }
}
