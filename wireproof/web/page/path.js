// What happened to packets on their way, as a lane of its own: windows that an end of the connection
// closed, bytes that came late or not at all, and what was sent again. It is there only where any of
// these happened, with the round trip of the handshake to judge them by.

import { bytes, count, duration, number, span } from "./format.js";
import { LANE_HEIGHT } from "./legs.js";
import { nameLane, writeOver } from "./ruler.js";

const NEAR = 6; // pixels beside a mark that are still it
const LABEL = 10.5; // pixels of its text

/**
 * One thing that happened: from when to when, the packet that shows it, what is said of it, in a word
 * and in a sentence.
 * @typedef {{kind: string, from: number, upto: number, packet: number, word: string, says: string}} Happened
 */

/**
 * What happened on the way while an exchange went on, in order of time.
 * @returns {Happened[] & {rtt?: number}}
 */
export function pathOf(connection, row) {
  if (!connection || !row) return [];
  /** @type {Happened[] & {rtt?: number}} */
  const found = [
    ...connection.closed_windows.map((one) => closedWindow(one, connection)),
    ...connection.holes.map((one) => hole(one, connection)),
    ...connection.resent.map(resent),
    ...connection.duplicate_acks.map(duplicates),
  ].filter(({ from, upto }) => upto >= row.first_time - 1e-9 && from <= row.last_time + 1e-9);
  found.sort((one, other) => one.from - other.from);
  found.rtt = connection.rtt;
  return found;
}

function closedWindow({ sender, packet, time, opened_by: opened, seconds }, connection) {
  const says = opened
    ? `the ${sender}'s window was closed for ${duration(seconds)}: packet ${packet} closed it, packet ${opened} opened it again`
    : `the ${sender}'s window was closed in packet ${packet}, and not opened again`;
  const upto = opened ? time + seconds : connection.last_time;
  return { kind: "closed", from: time, upto, packet, word: `${sender}'s window closed`, says };
}

function hole({ sender, length, packet, time, filled_by: filled, seconds }, connection) {
  const what = `${bytes(length)} of the ${sender}'s stream`;
  if (filled) {
    const says = `${what} had not arrived when packet ${packet} did; packet ${filled} brought them ${duration(seconds)} later`;
    return { kind: "late", from: time, upto: time + seconds, packet, word: "late", says };
  }
  const says = `${what} had not arrived when packet ${packet} did, and never arrived`;
  return { kind: "missing", from: time, upto: connection.last_time, packet, word: "missing", says };
}

function resent({ sender, offset, length, packet, time }) {
  const says = `packet ${packet} sent ${bytes(length)} again, from byte ${number(offset)} of the ${sender}'s stream`;
  return { kind: "again", from: time, upto: time, packet, word: "sent again", says };
}

function duplicates(one) {
  const packets = `packet${one.count === 1 ? "" : "s"} ${span(one.first_packet, one.last_packet)}`;
  const says = `${packets}: the ${one.sender} repeated an acknowledgement ${count(one.count, "time")}: it is waiting for byte ${number(one.offset)}`;
  const [from, upto] = [one.first_time, one.last_time];
  return { kind: "repeated", from, upto, packet: one.first_packet, word: "repeated ACK", says };
}

/** The gravest kind of what happened, and how many are of it. */
function gravest(path) {
  const kind = ["missing", "closed", "again", "late", "repeated"].find((one) =>
    path.some((found) => found.kind === one),
  );
  return { kind, some: path.filter((one) => one.kind === kind).length };
}

/** What stands below the lane's name: what there is most reason to look at, and the round trip. */
function about(path) {
  const { kind, some } = gravest(path);
  const trip = path.rtt ? `, RTT ${duration(path.rtt)}` : "";
  return `${number(some)} ${kind}${trip}`;
}

/** The same in words; nothing if nothing happened. */
export function saysPath(path) {
  if (!path?.length) return "";
  const { kind, some } = gravest(path);
  const things = {
    missing: "hole",
    closed: "closed window",
    again: "retransmission",
    late: "late segment",
    repeated: "run",
  };
  return `, ${count(some, things[kind])}${kind === "repeated" ? " of repeated acknowledgements" : ""}`;
}

/** Draw the lane: what lasts as a band, what is a moment as a triangle. */
export function drawPath(timeline, plot, scale) {
  const { path, colours } = timeline;
  if (!path?.length) return;
  const { ctx, bbox } = plot;
  const top = bbox.top + timeline.topOf("path") * scale;
  nameLane(plot, colours, top, LANE_HEIGHT, "on the way", about(path));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, top, bbox.width, LANE_HEIGHT * scale);
  ctx.clip();
  let free = -Infinity;
  for (const one of path) {
    const [left, right] = edges(timeline, plot, one, true);
    ctx.fillStyle = one.kind === "missing" ? colours.bad : colours.warn;
    if (one.kind === "repeated") ctx.fillStyle = colours.control;
    if (one.kind === "again") triangle(ctx, left, top, scale);
    else drawBand(ctx, one, left, right, top, scale);
    if (right >= bbox.left && left <= bbox.left + bbox.width)
      free = drawWord(plot, colours, one, left, top, scale, free);
  }
  ctx.restore();
}

function triangle(ctx, x, top, scale) {
  ctx.beginPath();
  ctx.moveTo(x - 4 * scale, top + 29 * scale);
  ctx.lineTo(x + 4 * scale, top + 29 * scale);
  ctx.lineTo(x, top + 21 * scale);
  ctx.fill();
}

/** A closed window is a full band; bytes that are awaited are a line between two ends. */
function drawBand(ctx, one, left, right, top, scale) {
  const width = Math.max(right - left, 2 * scale);
  if (one.kind === "closed") return void ctx.fillRect(left, top + 22 * scale, width, 7 * scale);
  ctx.fillRect(left, top + 25 * scale, width, Math.max(scale, 1));
  ctx.fillRect(left, top + 22 * scale, Math.max(scale, 1), 7 * scale);
  ctx.fillRect(left + width - scale, top + 22 * scale, Math.max(scale, 1), 7 * scale);
}

/** Name it where there is room; returns where the next name may begin. */
function drawWord(plot, colours, one, left, top, scale, free) {
  const { ctx, bbox } = plot;
  const lasts = one.upto > one.from ? `${one.word}, ${duration(one.upto - one.from)}` : one.word;
  ctx.font = `600 ${LABEL * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  const { width } = ctx.measureText(lasts);
  const wanted = Math.max(left, bbox.left) - (one.kind === "again" ? 4 * scale : 0);
  const begin = Math.min(wanted, bbox.left + bbox.width - width);
  if (begin < free) return free;
  writeOver(plot, colours, lasts, begin, top + 5 * scale);
  return begin + width + 8 * scale;
}

function edges(timeline, plot, one, inCanvas) {
  return [one.from, one.upto].map((time) => plot.valToPos(time - timeline.start, "x", inCanvas));
}

/** What happened under the pointer, the shortest of it; null if nothing did. */
export function pathUnder(timeline, event) {
  const { path, plot } = timeline;
  const top = timeline.topOf("path");
  if (!path?.length || event.offsetY < top || event.offsetY >= top + LANE_HEIGHT) return null;
  const under = path.filter((one) => {
    const [left, right] = edges(timeline, plot, one, false);
    return event.offsetX >= left - NEAR && event.offsetX <= right + NEAR;
  });
  under.sort((one, other) => one.upto - one.from - (other.upto - other.from));
  return under[0] ?? null;
}
