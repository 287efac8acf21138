// The element's style sheets. They are constructed, not written into the document: a Content-Security-Policy of
// `style-src 'self'` lets them pass (https://drafts.csswg.org/cssom-1/#dom-cssstylesheet-cssstylesheet).

import { base } from "./style_base.js";
import { chat } from "./style_chat.js";
import { data } from "./style_data.js";
import { lesson } from "./style_lesson.js";

/** A sheet belongs to the document that it was made in: one for all elements there, made when the first comes. */
const sheets = new WeakMap();

/** Gives a shadow tree the styles. */
export function adoptStyles(root) {
  const { ownerDocument: home } = root;
  let sheet = sheets.get(home);
  if (!sheet) {
    sheet = new home.defaultView.CSSStyleSheet();
    sheet.replaceSync(base + chat + lesson + data);
    sheets.set(home, sheet);
  }
  root.adoptedStyleSheets = [sheet];
}
