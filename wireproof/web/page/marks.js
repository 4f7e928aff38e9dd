// The lanes of a timeline: a mark for each element at its arrival, as high as the root of its size.
// Each function draws on the plot of the timeline that it is given.

import { bytes, number } from "./format.js";
import { CURVE_HEIGHT, LANE_HEIGHT } from "./legs.js";
import { drawChosen, drawCited, drawFlags, drawFound } from "./overlays.js";
import { nameLane } from "./ruler.js";
import { currentRow } from "./store.js";
import { LANE_NAMES, WIRE_KINDS, colourOfWire, saysLane } from "./wiretables.js";

/**
 * Draw a lane and what is marked in it.
 * @param {Timeline} timeline @param {Plot} plot @param {Lane} lane @param {number} top
 * @param {number} scale
 */
export function drawLane(timeline, plot, lane, top, scale) {
  const { ctx, bbox } = plot;
  const about = WIRE_KINDS.includes(lane.kind)
    ? saysLane(lane)
    : `${number(lane.length)}, ≤ ${bytes(lane.largest)}`;
  nameLane(plot, timeline.colours, top, LANE_HEIGHT, LANE_NAMES[lane.kind], about);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, top, bbox.width, LANE_HEIGHT * scale);
  ctx.clip();
  drawMarks(timeline, plot, lane, top, scale);
  ctx.restore();
}

/**
 * Name the curve below the lanes, and say beside it how far it reaches.
 * @param {Timeline} timeline @param {Plot} plot @param {number} scale
 */
export function drawCurveName(timeline, plot, scale) {
  const { ctx, bbox } = plot;
  const top = bbox.top + timeline.above * scale;
  nameLane(plot, timeline.colours, top, CURVE_HEIGHT + 4, "all bytes", "received, sent");
  const right = bbox.left + bbox.width + 6 * scale;
  ctx.fillText(bytes(timeline.total), right, top + (CURVE_HEIGHT * 0.14 + 4) * scale);
}

/**
 * Draw a lane's marks: one path for each colour, and one mark for each column of pixels.
 * @param {Timeline} timeline @param {Plot} plot @param {Lane} lane @param {number} top
 * @param {number} scale
 */
function drawMarks(timeline, plot, lane, top, scale) {
  const { ctx, bbox } = plot;
  const { min, max } = plot.scales.x;
  const height = LANE_HEIGHT * scale;
  const isBoth = "pfmya".includes(lane.kind);
  const base = Math.round(top + (isBoth ? height / 2 : height - 3 * scale));
  const room = isBoth ? height / 2 - 3 * scale : height - 8 * scale;
  const toPixel = bbox.width / (max - min);
  const first = Math.max(lane.at(timeline.start + min) - 1, 0);
  const upto = Math.min(lane.at(timeline.start + max) + 1, lane.length);
  const width = Math.max(
    Math.round(
      scale * Math.min(Math.max((bbox.width / Math.max(upto - first, 1) / scale) * 0.35, 1), 3),
    ),
    1,
  );
  /** @type {Map<string, {colour: string, side: number, tallest: Map<number, number>}>} */
  const columns = new Map(); // colour and side and pixel: the tallest mark there
  for (let index = first; index < upto; index += 1) {
    const x = Math.round(bbox.left + (lane.columns.time[index] - timeline.start - min) * toPixel);
    const size = lane.columns.size[index];
    const part = size ? Math.sqrt(size / lane.largest) : 0;
    const tall = size ? Math.max(part * room, 3 * scale) : 2 * scale;
    const side = isBoth && !lane.columns.sender[index] ? -1 : 1;
    const colour = colourOf(timeline.colours, lane, index);
    const slot = `${colour}${side}`;
    const known = columns.get(slot) ?? { colour, side, tallest: new Map() };
    columns.set(slot, known);
    if (!(known.tallest.get(x) >= tall)) known.tallest.set(x, tall);
  }
  if (isBoth) {
    ctx.fillStyle = timeline.colours.line;
    ctx.fillRect(bbox.left, base, bbox.width, 1);
  }
  for (const { colour, side, tallest } of columns.values()) {
    ctx.fillStyle = colour;
    ctx.beginPath();
    for (const [x, tall] of tallest) {
      // What the client sends goes up, what it receives comes down, where both share a lane.
      const y = isBoth && side > 0 ? base + 1 : base - tall;
      ctx.rect(x - (width >> 1), y, width, tall);
    }
    ctx.fill();
  }
  drawFlags(timeline, plot, lane, first, upto, top, scale);
  drawCited(timeline, plot, lane, first, upto, top, scale);
  drawFound(timeline, plot, lane, first, upto, top, scale);
  drawChosen(timeline, plot, lane, top, scale);
}

/** @param {Colours} colours @param {Lane} lane @param {number} index */
function colourOf(colours, lane, index) {
  if (WIRE_KINDS.includes(lane.kind))
    return colourOfWire(lane, index, colours, currentRow()?.stream);
  const { again, sender, mark } = lane.columns;
  if (lane.kind === "p" && again[index]) return colours.warn;
  if (lane.kind === "f" && mark[index] >= 8) return colours.control;
  if (lane.kind === "e" && mark[index]) return colours.control;
  if (lane.kind === "k" && mark[index]) return colours.control;
  return sender[index] ? colours.server : colours.client;
}
