// A promise with its ends. That nobody looks at a rejection is no fault: what failed is told in several places.

export class Deferred {
  isDone = false;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = (value) => {
        this.isDone = true;
        resolve(value);
      };
      this.reject = reject;
    });
    this.promise.catch(() => {});
  }
}
