// What lies over the lanes of a timeline: stalls and their causes, bursts, the text as it grew,
// what is chosen, and what the answer cites. Each is a function of the timeline, and draws on its plot.

import { duration, number } from "./format.js";
import { rate } from "./reader.js";
import { LANE_HEIGHT, legsHeight } from "./legs.js";
import { nameLane, writeOver } from "./ruler.js";
import { currentRow, state } from "./store.js";

const SYN = 2;
const LEAST_STALL = 3; // pixels that are shaded of the shortest

export function drawStall(timeline, plot, from, upto, known = null) {
  const { ctx, bbox } = plot;
  const scale = uPlot.pxRatio;
  const left = plot.valToPos(from - timeline.start, "x", true);
  const right = plot.valToPos(upto - timeline.start, "x", true);
  const top = bbox.top + legsHeight() * scale;
  ctx.fillStyle = timeline.colours.stall;
  const shaded = Math.max(right - left, LEAST_STALL * scale);
  ctx.fillRect(left, top, shaded, bbox.height - legsHeight() * scale);
  const cause = known ?? causeOf(timeline, from, upto);
  const text = cause ? `${duration(upto - from)}: ${cause}` : `${duration(upto - from)} pause`;
  ctx.font = `600 ${11 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  const width = ctx.measureText(text).width;
  if (right - left < width + 8 * scale) return;
  ctx.fillStyle = timeline.colours.warn;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  ctx.fillText(
    text,
    (Math.max(left, bbox.left) + Math.min(right, bbox.left + bbox.width)) / 2,
    top + 4 * scale,
  );
}

/** What is said of a pause, if it is the one that the verdict on gaps is about. */
function causeOf(timeline, from, upto) {
  const gap = state.verdicts.find(({ record }) => record.question === "gap")?.record;
  const packets = timeline.lanes.find((lane) => lane.kind === "p");
  if (!gap || !packets) return null;
  const at = (packet) => packets.time(packets.packetIndex(packet));
  const { from_packet: first, to_packet: last } = gap.numbers;
  const touches = at(first) <= upto + 1e-6 && at(last) >= from - 1e-6;
  // That pauses have several causes is no cause of one.
  return touches && gap.answer !== "mixed" ? gap.answer.replaceAll("-", " ") : null;
}

/** The ping that its sender closed for, as no pong had come: [when it came, when that was]. */
export function pendingPing(timeline) {
  const closed = state.verdicts.find(({ record }) => record.question === "websocket")?.record;
  const { ping_packet: packet, waited } = closed?.numbers ?? {};
  const packets = timeline.lanes.find((lane) => lane.kind === "p");
  const at = packet && packets ? packets.packetIndex(packet) : -1;
  return at < 0 ? null : [packets.time(at), packets.time(at) + waited];
}

/** The text as it grew: how many pieces of content had come by when. */
export function drawText(timeline, plot, scale) {
  const { ctx, bbox } = plot;
  const pieces = timeline.text;
  if (!pieces?.length) return;
  const top = bbox.top + timeline.topOf("text") * scale;
  const base = top + (LANE_HEIGHT - 2) * scale;
  const about = rate(pieces, "delta").split(", ").slice(0, 2).join(", ").replace(" a second", "/s");
  nameLane(plot, timeline.colours, top, LANE_HEIGHT, "text", about);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, top, bbox.width, LANE_HEIGHT * scale);
  ctx.clip();
  ctx.beginPath();
  let last = base;
  pieces.forEach(([time], index) => {
    const x = plot.valToPos(time - timeline.start, "x", true);
    const y = base - ((index + 1) / pieces.length) * (LANE_HEIGHT - 6) * scale;
    if (!index) ctx.moveTo(x, base);
    ctx.lineTo(x, last);
    ctx.lineTo(x, y);
    last = y;
  });
  ctx.lineTo(plot.valToPos(timeline.end - timeline.start, "x", true), last);
  ctx.strokeStyle = timeline.colours.good;
  ctx.lineWidth = 1.5 * scale;
  ctx.setLineDash([]);
  ctx.stroke();
  ctx.restore();
}

export function drawBursts(timeline, plot, scale) {
  const shown = timeline.lanes.indexOf(timeline.main);
  const lane = shown < 0 ? timeline.lanes.findIndex((one) => one.kind === "f") : shown;
  if (lane < 0) return;
  const { ctx, bbox } = plot;
  ctx.font = `600 ${10 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillStyle = timeline.colours.ink;
  let free = -Infinity;
  for (const [from, , size] of timeline.bursts) {
    const x = plot.valToPos(from - timeline.start, "x", true) + 4 * scale;
    if (x < free || x < bbox.left || x > bbox.left + bbox.width - 30 * scale) continue;
    const text = `×${number(size)}`;
    const top = bbox.top + (legsHeight() + lane * LANE_HEIGHT + 3) * scale;
    writeOver(plot, timeline.colours, text, x, top);
    free = x + ctx.measureText(text).width + 8 * scale;
  }
}

/** Point at what the answer cites: a triangle above each packet, and what it completed. */
export function drawCited(timeline, plot, lane, first, upto, top, scale) {
  if (!state.cited.size) return;
  const { ctx } = plot;
  ctx.fillStyle = timeline.colours.chosen;
  let free = -Infinity;
  for (let index = first; index < upto; index += 1) {
    if (!state.cited.has(lane.columns.packet[index])) continue;
    const x = plot.valToPos(lane.time(index) - timeline.start, "x", true);
    if (x < free) continue;
    ctx.beginPath();
    ctx.moveTo(x - 4 * scale, top + scale);
    ctx.lineTo(x + 4 * scale, top + scale);
    ctx.lineTo(x, top + 7 * scale);
    ctx.fill();
    free = x + 2 * scale;
  }
}

/** Mark what holds the text that is looked for: a stroke at the lane's foot. */
export function drawFound(timeline, plot, lane, first, upto, top, scale) {
  const found = state.found.get(lane.kind);
  if (!found?.size) return;
  const { ctx } = plot;
  ctx.fillStyle = timeline.colours.warn;
  let free = -Infinity;
  for (let index = first; index < upto; index += 1) {
    if (!found.has(lane.kind === "p" ? lane.columns.packet[index] : index)) continue;
    const x = plot.valToPos(lane.time(index) - timeline.start, "x", true);
    if (x < free) continue;
    ctx.fillRect(x - 2 * scale, top + (LANE_HEIGHT - 5) * scale, 4 * scale, 4 * scale);
    free = x + 3 * scale;
  }
}

/** Name the packets that open the connection, where no other mark stands in the way. */
export function drawFlags(timeline, plot, lane, first, upto, top, scale) {
  if (lane.kind !== "p" || upto - first > 20_000) return;
  const { ctx, bbox } = plot;
  ctx.font = `600 ${9 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  ctx.fillStyle = timeline.colours.quiet;
  const { flags, sender } = lane.columns;
  const at = (index) => plot.valToPos(lane.time(index) - timeline.start, "x", true);
  const width = ctx.measureText("SYN").width + 4 * scale;
  for (let index = first; index < upto; index += 1) {
    if (!(flags[index] & SYN)) continue; // drawEnds() has the others
    const x = at(index);
    if (x < bbox.left || x + width > bbox.left + bbox.width) continue;
    let next = index + 1;
    while (next < upto && sender[next] !== sender[index]) next += 1;
    if (next < upto && at(next) < x + width) continue;
    ctx.fillText("SYN", x + 2 * scale, top + (sender[index] ? 24 : 2) * scale);
  }
}

export function drawChosen(timeline, plot, lane, top, scale) {
  const { ctx } = plot;
  const chosen = state.element;
  const index =
    chosen && chosen.kind === lane.kind
      ? chosen.row
      : lane.kind === "p" && state.capture === currentRow().capture
        ? lane.packetIndex(state.packet)
        : -1;
  if (index < 0 || index >= lane.length) return;
  const x = plot.valToPos(lane.time(index) - timeline.start, "x", true);
  ctx.fillStyle = timeline.colours.chosen;
  ctx.fillRect(x - 1.5 * scale, top + 1, 3 * scale, LANE_HEIGHT * scale - 2);
}
