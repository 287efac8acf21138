// What the cases are written with.

export const server = "https://localhost:8443";
export const state = document.querySelector("#state");

export const check = (condition, what) => {
  if (!condition) throw new Error(what);
};
export const equal = (is, expected) => check(is === expected, `${is} instead of ${expected}`);

// The test that drives the page bounds the time.
export const until = async (condition) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
};

/** What a promise rejects with. */
export const reasonOf = (promise) =>
  promise.then(
    () => check(false, "it resolved"),
    (reason) => reason,
  );
