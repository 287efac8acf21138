// In which language the element speaks.

import { en } from "./en.js";
import { es } from "./es.js";

const TEXTS = { en, es };

/** The texts in a language. */
export const textsIn = (language) => TEXTS[language];

/**
 * The first of these that there are texts in: the element's own `lang`, that of what it stands in, and what the reader
 * has told the browser. English otherwise.
 */
export function languageOf(element) {
  const wanted = [closest(element), ...(navigator.languages ?? [])];
  const known = wanted.map((tag) => tag?.split("-")[0].toLowerCase()).find((tag) => Object.hasOwn(TEXTS, tag));
  return known ?? "en";
}

/** The language of an element by its document (https://html.spec.whatwg.org/#language), out of shadow trees too. */
function closest(element) {
  for (let node = element; node; ) {
    const tag = node.closest("[lang]")?.getAttribute("lang");
    if (tag) return tag;
    node = node.getRootNode().host;
  }
  return undefined;
}
