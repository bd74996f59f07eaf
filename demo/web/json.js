// JSON as people read it: indented, with its keys, strings and the rest told apart.

import { el } from "./dom.js";

// One token of JSON text: a string (with the colon when it is a key), a word or number.
const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** A value as nodes to put into a <pre>. The text of the value is never parsed as HTML. */
export function jsonNodes(value) {
  const text = JSON.stringify(value, null, 2);
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    nodes.push(text.slice(from, match.index));
    const [whole, string, colon] = match;
    if (colon) nodes.push(el("span", { class: "json-key" }, string), colon);
    else nodes.push(el("span", { class: string ? "json-string" : "json-other" }, whole));
    from = match.index + whole.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}
