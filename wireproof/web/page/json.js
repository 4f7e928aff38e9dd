// JSON as a tree that unfolds, and the value at a path of it: `choices[0].delta.content`. What is
// folded is not built until it is unfolded.

import { el } from "./dom.js";
import { asText, count } from "./format.js";

const OPEN = 4; // levels that are unfolded from the start
const MOST = 200; // members that are shown of an object or array at once

/** A number as it was written: a double would not be it. */
class Written {
  constructor(text) {
    this.text = text;
  }
}

/** Keeps the digits of numbers, in browsers that tell them. */
function asWritten(_key, value, context) {
  const source = context?.source;
  return typeof value === "number" && source && source !== String(value)
    ? new Written(source)
    : value;
}

/** The value of a text that is an object or an array in JSON, else undefined. */
export function jsonOf(text) {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text, asWritten);
  } catch {
    return undefined;
  }
}

/** The value at a path, undefined if there is none. @param {(string | number)[]} path */
export function valueAt(value, path) {
  for (const step of path) {
    if (isLeaf(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
}

const isLeaf = (value) => value === null || typeof value !== "object" || value instanceof Written;

/** A value as it was written; of an object or an array how much is in it; nothing of what is not there. */
export function jsonText(value) {
  if (value === undefined) return "";
  if (value instanceof Written) return value.text;
  if (isLeaf(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return value.length ? `[${count(value.length, "element")}]` : "[]";
  const members = Object.keys(value).length;
  return members ? `{${count(members, "member")}}` : "{}";
}

/** A path as JavaScript writes it. @param {(string | number)[]} path */
export function pathText(path) {
  const parts = path.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    if (!/^[A-Za-z_$][\w$]*$/.test(step)) return `[${JSON.stringify(step)}]`;
    return index ? `.${step}` : step;
  });
  return parts.join("");
}

/**
 * A value as a tree. `choose`, if there is one, is called with the path of what is clicked.
 * @param {any} value
 * @param {((path: (string | number)[]) => void)?} choose
 * @param {(string | number)[]} path
 */
export function jsonTree(value, choose = null, path = []) {
  const name = path.length ? el("span", { class: "json-key" }, asText(`${path.at(-1)}: `)) : null;
  const keys = isLeaf(value) ? [] : Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return keys.length
    ? branch(value, keys, name, choose, path)
    : el("span", {}, name, leaf(value, choose, path));
}

/** What has members, which are built when it is unfolded. */
function branch(value, keys, name, choose, path) {
  const list = el("ul", { class: "json" });
  const node = el(
    "details",
    { class: "json-node" },
    el("summary", {}, name, jsonText(value)),
    list,
  );
  const grow = () => {
    const from = list.children.length;
    for (const key of keys.slice(from, from + MOST))
      list.append(el("li", {}, jsonTree(value[key], choose, [...path, key])));
    if (list.children.length < keys.length) list.append(more(grow));
  };
  const unfold = () => node.open && !list.children.length && grow();
  node.addEventListener("toggle", unfold);
  node.open = path.length < OPEN;
  unfold();
  return node;
}

function more(grow) {
  const node = el("li", {});
  const show = () => {
    node.remove();
    grow();
  };
  node.append(el("button", { type: "button", class: "small", onclick: show }, "More"));
  return node;
}

function leaf(value, choose, path) {
  const text = asText(jsonText(value));
  const facts = { class: "json-leaf" };
  if (!choose || !path.length) return el("span", facts, text);
  const title = `Show ${pathText(path)} of every element in the table`;
  const onclick = () => choose(path);
  return el("button", { ...facts, type: "button", title, onclick }, text);
}
