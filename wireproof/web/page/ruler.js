// What a timeline is measured and drawn by: which pauses are stalls, what is a burst, the axis's ticks,
// the colours.

import { percentile } from "./format.js";
import { state } from "./store.js";

export const GUTTER = 112; // pixels left of the plot: the lanes' names
const BURST = 3; // so many that came together are a burst
export const TOGETHER = 0.0005; // seconds between them at most, and a quarter of the usual gap

/** Which pauses are stalls, by the rule that `wireproof plot` has too. @param {Float64Array} gaps */
export function stallLimit(gaps) {
  const { times, least } = state.summary.stall;
  return Math.max(times * percentile(Float64Array.from(gaps).sort(), 0.5), least);
}

/**
 * Runs of elements that came together: [first time, last time, how many].
 * @param {number[]} times @param {Float64Array} gaps
 */
export function burstsOf(times, gaps) {
  const usual = percentile(Float64Array.from(gaps).sort(), 0.5);
  const together = usual ? Math.min(TOGETHER, usual / 4) : TOGETHER;
  const bursts = [];
  let begin = 0;
  for (let index = 1; index <= times.length; index += 1) {
    if (index < times.length && times[index] - times[index - 1] <= together) continue;
    if (index - begin >= BURST) bursts.push([times[begin], times[index - 1], index - begin]);
    begin = index;
  }
  return bursts;
}

/** @param {ArrayLike<number>} column @param {number} length */
export function largest(column, length) {
  let most = 1;
  for (let index = 0; index < length; index += 1) if (column[index] > most) most = column[index];
  return most;
}

/**
 * A tick of the axis with as many digits as its neighbours need.
 * @param {number} value @param {number[]} splits
 */
export function axisTime(value, splits) {
  const step = splits.length > 1 ? splits[1] - splits[0] : 1;
  if (step >= 1) return `${Math.round(value)} s`;
  if (splits[splits.length - 1] >= 2 && step >= 0.1)
    return `${value.toFixed(step < 0.2 ? 1 : 2)} s`;
  if (step >= 0.001) return `${Math.round(value * 1e3)} ms`;
  return `${(value * 1e3).toFixed(step >= 0.0001 ? 1 : 3)} ms`;
}

/** The colours of the theme. @returns {Colours} */
export function coloursOf() {
  const style = getComputedStyle(document.documentElement);
  const names = [
    "ink",
    "quiet",
    "line",
    "server",
    "client",
    "warn",
    "bad",
    "control",
    "stall",
    "chosen",
    "good",
    "accent",
    "card",
  ];
  return Object.fromEntries(
    names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  );
}

/**
 * Write a text over whatever lies there: lines that would cross it end beside it.
 * @param {Plot} plot @param {Colours} colours @param {string} text @param {number} x
 * @param {number} y
 */
export function writeOver({ ctx }, colours, text, x, y) {
  ctx.strokeStyle = colours.card;
  ctx.lineWidth = 5 * uPlot.pxRatio;
  ctx.lineJoin = "round";
  ctx.setLineDash([]);
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

/**
 * Name a lane, and say below what it holds.
 * @param {Plot} plot @param {Colours} colours @param {number} top @param {number} height
 * @param {string} name @param {string} about
 */
export function nameLane(plot, colours, top, height, name, about) {
  const { ctx, bbox } = plot;
  const scale = uPlot.pxRatio;
  const left = bbox.left - (GUTTER - 8) * scale;
  const y = top + (height * scale) / 2;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.font = `${11.5 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.fillStyle = colours.ink;
  const room = (GUTTER - 12) * scale;
  ctx.fillText(name, left, y - 7 * scale, room);
  ctx.fillStyle = colours.quiet;
  ctx.font = `${10.5 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.fillText(about, left, y + 7 * scale, room);
}
