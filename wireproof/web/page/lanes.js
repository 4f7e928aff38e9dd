// The lanes of an exchange: for each kind of element one column of times, one of sizes, and so on,
// fetched in pages and put together in typed arrays, so that 100,000 marks are a few megabytes.

import { WIRE_KINDS } from "./wiretables.js";
import { state, wireOf, within } from "./store.js";

const COLUMNS = ["time", "packet", "sender", "size", "mark", "flags", "again", "stream"];

/**
 * Columns of a lane, as the server gives them.
 * @typedef {{[name: string]: Float64Array}} Columns
 */

/** A growing set of columns. */
export class Lane {
  /** @param {string} kind @param {string} path */
  constructor(kind, path, isShown = true) {
    this.kind = kind;
    this.isShown = isShown; // on the timeline; tables need its times in any case
    this.path = path; // of its pages, without the number
    this.length = 0;
    this.largest = 1; // size of what is in it
    /** @type {Columns} */
    this.columns = {};
    /** @type {any} */
    this.connection = null; // the record of a packet lane's connection
  }

  /** Load what there is, and what has come since. Returns whether there was anything new. */
  async load() {
    const size = state.summary.pages.lane;
    const before = this.length;
    for (let page = Math.floor(this.length / size); ; page += 1) {
      const answer = await state.source.get(`${this.path}/${page}`);
      this.connection = answer.connection ?? this.connection;
      this.put(page * size, answer);
      if ((page + 1) * size >= answer.total) return this.length !== before;
    }
  }

  /** @param {number} start @param {{[name: string]: number[]}} answer */
  put(start, answer) {
    const end = start + answer.time.length;
    for (const name of COLUMNS) {
      if (!(name in answer)) continue;
      this.columns[name] = grown(this.columns[name], end);
      this.columns[name].set(answer[name], start);
    }
    this.length = Math.max(this.length, end);
  }

  /** @param {number} index */
  time(index) {
    return this.columns.time[index];
  }

  /** Where a packet is among the lane's packets, -1 if it is not. @param {number | null} packet */
  packetIndex(packet) {
    return packet ? this.columns.packet.subarray(0, this.length).indexOf(packet) : -1;
  }

  /** The first element at `time` or after it. @param {number} time */
  at(time) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.columns.time[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param {Float64Array | undefined} column @param {number} size */
function grown(column, size) {
  if (column && column.length >= size) return column;
  const larger = new Float64Array(Math.max(size, column ? column.length * 2 : 64));
  if (column) larger.set(column);
  return larger;
}

export const QUIC = 1_000_000_000; // connections from here on are QUIC's, and not in the table of TCP's

/**
 * The display filter of a connection; Wireshark numbers those of QUIC by themselves.
 * @param {number} connection
 */
export function connectionFilter(connection) {
  return connection >= QUIC
    ? `quic.connection.number == ${connection - QUIC}`
    : `tcp.stream == ${connection}`;
}

/** The lanes of an exchange, packets first. @param {Row} row */
export function lanesOf(row) {
  const lanes = [];
  if (row.connection !== null && row.connection < QUIC)
    lanes.push(new Lane("p", `packets/${within(row.capture, row.connection)}`));
  for (const kind of WIRE_KINDS)
    if (row.wire?.[kind]) lanes.push(new Lane(kind, `lane/${wireOf(row)}/${kind}`));
  for (const kind of ["h", "k", "t", "e", "x", "f", "m"]) {
    // Frames show the same as messages, and more.
    const isShown = kind !== "m" || !row.counts.f;
    if (row.counts[kind]) lanes.push(new Lane(kind, `lane/${row.key}/${kind}`, isShown));
  }
  return lanes;
}

/** The lane whose gaps matter: what the application receives. @param {Lane[]} lanes */
export function mainLane(lanes) {
  for (const kind of ["e", "x", "m", "f", "k", "t", "h"]) {
    const found = lanes.find((lane) => lane.kind === kind && lane.length);
    if (found) return found;
  }
  return lanes.find((lane) => lane.kind === "p" && lane.length) ?? null;
}

const CONTROL = 8; // opcodes from here on are control frames (RFC 6455 section 5.2)

/** The elements that count as content: [times, indices] of what the server sent. @param {Lane} lane */
export function received(lane) {
  /** @type {number[]} */
  const times = [];
  /** @type {number[]} */
  const indices = [];
  const { time, sender, size, mark } = lane.columns;
  for (let index = 0; index < lane.length; index += 1) {
    if (sender[index] !== 1) continue;
    if (lane.kind === "p" && !size[index]) continue;
    if (lane.kind === "f" && mark[index] >= CONTROL) continue;
    if (lane.kind === "e" && mark[index]) continue;
    if (lane.kind === "k" && mark[index]) continue;
    times.push(time[index]);
    indices.push(index);
  }
  return { times, indices };
}

/**
 * Whether nothing is missing after one time up to another.
 * @param {number} start @param {number} end
 */
export function isRecorded(start, end) {
  let low = 0;
  let high = state.holes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (state.holes[middle] <= start) low = middle + 1;
    else high = middle;
  }
  return low === state.holes.length || state.holes[low] > end;
}

/**
 * The pauses between times: those in which nothing is missing, and the others.
 * @param {number[]} times
 * @returns {{gaps: [number, number][], missed: [number, number][]}}
 */
export function pausesOf(times) {
  /** @type {[number, number][]} */
  const gaps = [];
  /** @type {[number, number][]} */
  const missed = [];
  for (let index = 1; index < times.length; index += 1) {
    const [start, end] = [times[index - 1], times[index]];
    (isRecorded(start, end) ? gaps : missed).push([start, end]);
  }
  return { gaps, missed };
}
