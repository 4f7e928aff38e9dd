// When flow control of HTTP/2 held an exchange: its stream's window, its connection's, or both at once
// (RFC 9113 section 5.2), as the verdict counts it.

import { state, wireOf } from "./store.js";

/**
 * When windows were closed: those that overlap are one, with every window that it was for.
 * @param {{window: string, first_time: number, seconds: number}[]} stalls
 * @returns {{from: number, upto: number, windows: string[]}[]}
 */
export function closedSpans(stalls) {
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

const inOrder = (stalls) => [...stalls].sort((one, other) => one.first_time - other.first_time);

/** What of its connection's stalls held an exchange: its own, and the connection's while it went on. */
export async function heldBy(row) {
  if (!row.wire?.s || row.stream === null) return [];
  const { rows } = await state.source.get(`rows/${wireOf(row)}/s/0`);
  return closedSpans(
    rows
      .map(({ record }) => record)
      .filter((one) =>
        one.window === "stream"
          ? one.stream_id === row.stream
          : one.first_time < row.last_time && one.first_time + one.seconds > row.first_time,
      ),
  );
}
