// When flow control of HTTP/2 held an exchange: its stream's window, its connection's, or both at once
// (RFC 9113 section 5.2), as the verdict counts it.

import { state, wireOf } from "./store.js";

/**
 * A window that flow control had closed.
 * @typedef {{window: string, stream_id: number | null, first_time: number, seconds: number}} Stall
 */

/**
 * A time in which windows were closed, and whose.
 * @typedef {{from: number, upto: number, windows: string[]}} Closed
 */

/**
 * When windows were closed: those that overlap are one, with every window that it was for.
 * @param {Pick<Stall, "window" | "first_time" | "seconds">[]} stalls
 * @returns {Closed[]}
 */
export function closedSpans(stalls) {
  /** @type {Closed[]} */
  const found = [];
  for (const { window, first_time: from, seconds } of inOrder(stalls)) {
    const last = found.at(-1);
    if (!last || from > last.upto) found.push({ from, upto: from + seconds, windows: [window] });
    else {
      last.upto = Math.max(last.upto, from + seconds);
      if (!last.windows.includes(window)) last.windows.push(window);
    }
  }
  return found;
}

/**
 * @template {{first_time: number}} T
 * @param {T[]} stalls
 */
const inOrder = (stalls) => [...stalls].sort((one, other) => one.first_time - other.first_time);

/**
 * What of its connection's stalls held an exchange: its own, and the connection's while it went on.
 * @param {Row} row
 */
export async function heldBy(row) {
  if (!row.wire?.s || row.stream === null) return [];
  const { rows } = await state.source.get(`rows/${wireOf(row)}/s/0`);
  return closedSpans(
    rows
      .map((/** @type {{record: Stall}} */ { record }) => record)
      .filter((/** @type {Stall} */ one) =>
        one.window === "stream"
          ? one.stream_id === row.stream
          : one.first_time < row.last_time && one.first_time + one.seconds > row.first_time,
      ),
  );
}
