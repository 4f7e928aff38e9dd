// What is shown now, and who wants to know when that changes. No view calls another: each changes
// the state here and redraws itself when it hears that the state has changed.

import { el } from "./dom.js";
import { number } from "./format.js";

export const state = {
  source: /** @type {any} */ (null),
  summary: /** @type {any} */ (null),
  rows: /** @type {Map<string, Row>} */ (new Map()), // of the connections table, by key
  order: /** @type {string[]} */ ([]), // keys, in order of the first record
  current: /** @type {string | null} */ (null), // the key of the chosen exchange
  element: /** @type {{key: string, kind: string, row: number} | null} */ (null), // {key, kind, row}: the chosen element
  packet: /** @type {number | null} */ (null), // the number of the packet that is shown
  capture: 0, // in which capture that packet is
  verdicts: /** @type {Said[]} */ ([]), // what is said of the chosen exchange
  holes: /** @type {number[]} */ ([]), // when bytes of it were found missing, in order
  cited: new Set(), // the packets that the answer on show rests on
  ways: /** @type {any[]} */ ([]), // exchanges that were seen on several legs
  wayOf: new Map(), // the way of an exchange, by its key
  compared: /** @type {string | null} */ (null), // the key of the exchange that others are compared with
  found: new Map(), // the rows that hold the text that is looked for, by kind; packets by number
  way: /** @type {Way | null} */ (null), // the legs and hops of the chosen exchange
  read: /** @type {any[]} */ ([]), // the content of the chosen exchange, piece by piece
  end: 0, // when the timeline of the chosen exchange ends
  moment: /** @type {number | null} */ (null), // the time that the scrubber stands at, null at the end
  lanes: /** @type {import("./lanes.js").Lane[]} */ ([]), // of the chosen exchange, as far as they are loaded
  tab: /** @type {string | null} */ (null), // the panel that is open
  paths: new Map(), // the path of JSON that a table shows in place of its data, by kind
  isPaused: false, // whether news wait
  amiss: /** @type {string | null} */ (null), // what is wrong with the capture
  lost: /** @type {string | null} */ (null), // what is said of a link that points at nothing
};

/** @type {Map<string, ((detail?: any) => void)[]>} */
const listeners = new Map();

/**
 * Call `listener` when something of this name happens.
 * @param {string} name @param {(detail?: any) => void} listener
 */
export function on(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

/** @param {string} name @param {any} [detail] */
export function emit(name, detail) {
  for (const listener of listeners.get(name) ?? []) listener(detail);
}

/**
 * By what something of a capture is asked for: the first capture's as if it were alone.
 * @param {number} capture @param {string | number} name
 */
export const within = (capture, name) => (capture ? `${capture}:${name}` : String(name));

/** In which capture something is that is asked for by `key`. @param {string} key */
export const captureOf = (key) => (key.includes(":") ? Number(key.split(":")[0]) : 0);

/** The row of the chosen exchange. */
export const currentRow = () => state.rows.get(state.current ?? "") ?? null;

/**
 * Why there is no more of an exchange than its row, and what shows more; null if there is.
 * @param {Row | null} row
 */
export function outlineOf(row) {
  if (!row?.outlined) return null;
  const { exchanges, detailed } = state.summary;
  const which = row.exchange === null ? "" : ` --exchange ${row.exchange}`;
  return [
    `This report has the details of ${number(detailed)} of ${number(exchanges)} exchanges: those that failed first, then what was held or slow. Of this one it has the row in the list; the rest is in a report of its own, `,
    el("code", {}, `wireproof report FILE --connection ${row.connection}${which} -o OUT`),
    ", and in ",
    el("code", {}, "wireproof view FILE"),
    ".",
  ];
}

/** Choose an exchange; nothing of it is chosen yet. @param {string} key */
export function chooseExchange(key) {
  if (key === state.current) return;
  state.current = key;
  state.way = null;
  state.element = null;
  state.packet = null;
  emit("exchange");
  emit("element");
}

/** What a connection carried below its exchanges is asked for by a key of its own. @param {string} key */
export const isWire = (key) => key.endsWith(".w");

/** The key of what the connection of an exchange carried below it. @param {Row} row */
export const wireOf = (row) => within(row.capture, `${row.connection}.w`);

/** How many elements of a kind there are under a key. @param {string} key @param {string} kind */
export function countOf(key, kind) {
  const row = isWire(key) ? currentRow() : state.rows.get(key);
  return (isWire(key) ? row?.wire : row?.counts)?.[kind] ?? 0;
}

/**
 * The exchange that is shown with an element: what a connection carried stands beside any of its.
 * @param {string} key
 */
function ownerOf(key) {
  if (!isWire(key)) return key;
  const row = currentRow();
  if (row && wireOf(row) === key) return row.key;
  const prefix = key.slice(0, -1);
  return state.order.find((one) => one.startsWith(prefix)) ?? state.current;
}

/**
 * Choose an element of any exchange; its bytes are shown.
 * @param {string} key @param {string} kind @param {number} row
 */
export function chooseElement(key, kind, row) {
  const owner = ownerOf(key);
  if (owner !== state.current) {
    state.current = owner;
    state.way = null;
    emit("exchange");
  }
  state.element = { key, kind, row };
  state.packet = null;
  emit("element");
}

/** Choose nothing of the exchange: no bytes are shown. */
export function chooseNothing() {
  state.element = null;
  state.packet = null;
  emit("element");
}

/**
 * Have the table of a kind show what is at a path of JSON; null: the data again.
 * @param {string} kind @param {any} path
 */
export function choosePath(kind, path) {
  if (path) state.paths.set(kind, path);
  else state.paths.delete(kind);
  emit("path", kind);
}

/** Choose a packet by itself. @param {number} packet */
export function choosePacket(packet, capture = currentRow()?.capture ?? 0) {
  state.element = null;
  state.capture = capture;
  state.packet = packet;
  emit("element");
}

// Links: #c0/e3 is event 3 of exchange 0 of connection 0; #c0.2/e3 of exchange 2; #p12 packet 12.
// What is in another capture than the first has its number before it: #1:c0/e3, #1:p12.
export function linkOf() {
  if (state.element) return linkTo(state.element);
  if (state.packet) return `#${within(state.capture, `p${state.packet}`)}`;
  return state.current ? `#${exchangePart(state.current)}` : "#";
}

/** The link to an element. @param {{key: string, kind: string, row: number}} element */
export const linkTo = ({ key, kind, row }) => `#${exchangePart(key)}/${kind}${row}`;

/** @param {string} key */
function exchangePart(key) {
  const name = key.replace(/^.*:/, "");
  return within(captureOf(key), `c${name.endsWith(".0") ? name.slice(0, -2) : name}`);
}

/** What a link points at: {key, kind, row}, {packet, capture} or null. @param {string} hash */
export function readLink(hash) {
  const packet = /^#(?:([1-9]\d?):)?p([1-9]\d{0,8})$/.exec(hash);
  if (packet) return { packet: Number(packet[2]), capture: Number(packet[1] ?? 0) };
  const found =
    /^#(?:([1-9]\d?):)?c(n|\d{1,10})(?:\.(n|w|\d{1,9}))?(?:\/([qrktbexfmgdhsya])(\d{1,9}))?$/.exec(
      hash,
    );
  if (!found) return null;
  const key = within(Number(found[1] ?? 0), `${found[2]}.${found[3] ?? "0"}`);
  return found[4] ? { key, kind: found[4], row: Number(found[5]) } : { key };
}
