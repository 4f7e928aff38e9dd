// How it ended, as a lane of its own: each side's FIN or RST, and where a body that is not whole breaks
// off. Each is a line through all lanes, always within the axis; its words stand in the lane, where
// nothing else is drawn.

import { duration } from "./format.js";
import { CURVE_HEIGHT, LANE_HEIGHT, legsHeight } from "./legs.js";
import { nameLane, writeOver } from "./ruler.js";
import { currentRow } from "./store.js";

const LINES = 2; // of words in the lane
const LINE = 14; // pixels from one to the next
const SHOWN_FROM = 0.001; // seconds of silence before the end that are worth a word
const APART = 8; // pixels between words on a line

/**
 * A line through the lanes, and the words for it.
 * @typedef {{time: number, colour: string, text: string, isCut?: boolean}} End
 */

/**
 * What ended the exchange and its connection, each once, in order of time.
 * @param {Timeline} timeline
 * @returns {End[]}
 */
export function endsOf(timeline) {
  const row = currentRow();
  const { colours } = timeline;
  /** @type {Map<string, End>} */
  const found = new Map();
  for (const { sender, kind, time } of timeline.ends) {
    const isReset = kind === "reset";
    const text = `${isReset ? "RST" : "FIN"} by the ${sender}`;
    if (!found.has(text))
      found.set(text, { time, text, colour: isReset ? colours.bad : colours[sender] });
  }
  const ends = [...found.values()];
  if (row?.is_whole === false && row.ended)
    ends.push({ time: row.last_time, text: row.ended, colour: colours.bad, isCut: true });
  return ends.sort((one, other) => one.time - other.time);
}

/** How long nothing came before the connection ended. @param {Timeline} timeline */
function saysIdle(timeline) {
  const idle = Math.min(...timeline.ends.map((end) => end.time)) - (currentRow()?.last_time ?? 0);
  return Number.isFinite(idle) && idle >= SHOWN_FROM ? `idle ${duration(idle)} before` : "";
}

/**
 * Draw the lines, before the words that they would cross.
 * @param {Timeline} timeline @param {Plot} plot @param {number} scale
 */
export function drawEndLines(timeline, plot, scale) {
  if (!timeline.more.includes("ends")) return;
  const { ctx, bbox } = plot;
  const from = bbox.top + legsHeight() * scale;
  const upto = bbox.top + (timeline.above + CURVE_HEIGHT) * scale;
  for (const end of endsOf(timeline)) {
    const x = lineOf(timeline, plot, end, scale);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = end.colour;
    ctx.fillRect(x, from, Math.max(scale, 1), upto - from);
  }
}

/**
 * Draw the lane of a timeline whose exchange has ended, and its words.
 * @param {Timeline} timeline @param {Plot} plot @param {number} scale
 */
export function drawEnds(timeline, plot, scale) {
  if (!timeline.more.includes("ends")) return;
  const { ctx, bbox } = plot;
  const top = bbox.top + timeline.topOf("ends") * scale;
  nameLane(plot, timeline.colours, top, LANE_HEIGHT, "end", saysIdle(timeline));
  /** @type {[number, number][][]} */
  const lines = Array.from({ length: LINES }, () => []);
  const right = bbox.left + bbox.width;
  ctx.font = `600 ${10.5 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  for (const end of endsOf(timeline)) {
    const x = lineOf(timeline, plot, end, scale);
    if (x < bbox.left || x > right) continue;
    ctx.fillStyle = end.colour;
    const { width } = ctx.measureText(end.text);
    const isNearEnd = x + width + APART * scale > right;
    const wanted = isNearEnd ? x - width - 4 * scale : x + 4 * scale;
    const [line, left] = placeOf(lines, wanted, width, APART * scale);
    if (left < bbox.left) continue;
    lines[line].push([left, left + width]);
    writeOver(plot, timeline.colours, end.text, left, top + (4 + line * LINE) * scale);
  }
}

/**
 * Where its line stands; that of a cut stands beside the packet that came last.
 * @param {Timeline} timeline @param {Plot} plot @param {End} end @param {number} scale
 */
function lineOf(timeline, plot, { time, isCut }, scale) {
  return Math.round(plot.valToPos(time - timeline.start, "x", true) + (isCut ? 3 * scale : 0));
}

/**
 * A line of the lane on which words are free, else a place left of those on its first line.
 * @param {[number, number][][]} lines @param {number} left @param {number} width
 * @param {number} apart
 */
function placeOf(lines, left, width, apart) {
  const isFree = (/** @type {[number, number][]} */ taken) =>
    taken.every(([from, upto]) => left + width + apart <= from || left >= upto + apart);
  const line = lines.findIndex(isFree);
  if (line >= 0) return [line, left];
  return [0, Math.min(...lines[0].map(([from]) => from)) - apart - width];
}
