// Elements, made without a line of HTML in a string: that passes every Content-Security-Policy, Trusted Types included.

/**
 * An element with attributes and children. What is undefined, null or false is left out; a function listens to the event
 * that it is named after.
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

/** Text for those who hear the page. */
export const spoken = (text) => element("span", { class: "hidden" }, text);

/** Sets a text where it is another: a live region speaks of every change. */
export function setText(target, text = "") {
  if (target.textContent !== text) target.textContent = text;
}

/** Sets an attribute, or takes it away where the value is undefined. */
export function setAttribute(target, name, value) {
  if (value === undefined) target.removeAttribute(name);
  else if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}
