// A promise with its ends. That nobody looks at a rejection is no fault: what failed is told in several places.

export class Deferred {
  constructor() {
    this.promise = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
    this.promise.catch(() => {});
  }
}
