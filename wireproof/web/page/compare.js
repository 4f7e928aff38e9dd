// Two exchanges on one axis, each from the end of its request: one is kept, and whatever is chosen then
// is laid beside it, as the legs of one exchange are.

import { byId } from "./dom.js";
import { count, duration } from "./format.js";
import { lanesOf, mainLane, received } from "./lanes.js";
import { currentRow, emit, on, state } from "./store.js";

export class Compare {
  constructor() {
    this.button = byId("compare");
    this.button.addEventListener("click", () => this.toggle());
    /** @type {string | null} */
    this.last = state.current;
    on("exchange", () => this.follow());
    on("verdicts", () => this.say());
  }

  /** Keep the chosen exchange to compare others with; once more lets it go. */
  toggle() {
    if ((currentRow()?.exchange ?? null) === null) return;
    state.compared = state.compared ? null : state.current;
    this.say();
    emit("compare");
  }

  /** Whoever chooses the exchange that is kept compares it with where they were. */
  follow() {
    if (state.compared === state.current && this.last !== state.current) state.compared = this.last;
    this.last = state.current;
    this.say();
  }

  say() {
    const isKept = Boolean(state.compared);
    this.button.setAttribute("aria-pressed", String(isKept));
    const note = byId("compared");
    note.hidden = !isKept;
    note.textContent = !isKept
      ? ""
      : (state.way?.compared ?? "Choose the exchange to compare it with.");
  }
}

/**
 * The chosen exchange and the one that is kept, as legs of a way without hops; null if none is.
 * @param {Row} row
 */
export async function comparison(row) {
  const other = state.rows.get(state.compared ?? "");
  if (!other || other.key === row.key) return null;
  const [own, kept] = await Promise.all([timesOf(row), timesOf(other)]);
  const shift = begin(row) - begin(other);
  const legs = [legOf(row, own, 0, "this one"), legOf(other, kept, shift, "kept")];
  return {
    legs,
    hops: [],
    compared: `${told("This", row, own)} ${told("The one that is kept", other, kept)}`,
  };
}

/** @param {Row} row */
const begin = (row) => row.asked_time ?? row.request_time ?? row.first_time;

/** @param {Row} row @returns {Promise<number[]>} */
async function timesOf(row) {
  const lanes = lanesOf(row).filter((lane) => lane.kind !== "p");
  await Promise.all(lanes.map((lane) => lane.load()));
  const main = mainLane(lanes);
  return main ? received(main).times : [];
}

/** @param {Row} row @param {number[]} times @param {number} shift @param {string} name */
function legOf(row, times, shift, name) {
  return {
    key: row.key,
    name,
    server: row.server ?? "",
    offset: 0,
    asked: begin(row) + shift,
    ended: row.last_time + shift,
    elements: times.length,
    time: Array.from(times, (time) => time + shift),
  };
}

/** @param {string} who @param {Row} row @param {number[]} times */
function told(who, row, times) {
  if (!times.length) return `${who}: nothing came.`;
  const after = (/** @type {number} */ time) => duration(time - begin(row));
  return `${who}: ${count(times.length, "element")}, the first after ${after(times[0])}, the last after ${after(times[times.length - 1])}.`;
}
