// The legs of one exchange on one axis: a lane for each, the nearest to the client first, a line from
// each element to itself on the next leg, and the time that the hop added as a band between them.

import { count, duration } from "./format.js";
import { elementsOf } from "./connections.js";
import { currentRow, state } from "./store.js";

export const LANE_HEIGHT = 34; // pixels of a lane of the timeline
export const CURVE_HEIGHT = 46; // and of the curve below the lanes
const LEG = 30; // pixels of a leg's lane
const BETWEEN = 58; // and of the room for the lines
const MOST_LINES = 1500;
const LATE = 0.02; // seconds from which on a hop's delay is drawn as one

/** How high the legs of the chosen exchange are. */
export function legsHeight() {
  const legs = state.way?.legs.length ?? 0;
  return legs ? legs * LEG + (legs - 1) * BETWEEN : 0;
}

/** When the legs end, on the clock of the chosen one; -Infinity without legs. */
export const legsEnd = () => Math.max(...(state.way?.legs ?? []).map((leg) => own(leg.ended)));

/** A time of the nearest leg's clock on the clock of the chosen leg. */
function own(time) {
  const leg = state.way.legs.find((one) => one.key === state.current);
  return time - (leg?.offset ?? 0);
}

/** Which leg a point of the plot is in, -1 if none. */
export function legAt(y) {
  const at = Math.floor(y / (LEG + BETWEEN));
  return state.way && at < state.way.legs.length && y - at * (LEG + BETWEEN) < LEG ? at : -1;
}

export function drawLegs(plot, start, colours, gutter) {
  const { way } = state;
  if (!way) return;
  const { ctx, bbox } = plot;
  const scale = uPlot.pxRatio;
  const view = {
    ctx,
    bbox,
    scale,
    colours,
    gutter,
    x: (time) => plot.valToPos(own(time) - start, "x", true),
    top: (at) => bbox.top + at * (LEG + BETWEEN) * scale,
  };
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, legsHeight() * scale);
  ctx.clip();
  way.hops.forEach((hop, at) => drawHop(view, hop, way.legs[at], way.legs[at + 1], at));
  way.legs.forEach((leg, at) => drawLeg(view, leg, at));
  ctx.restore();
  way.legs.forEach((leg, at) => nameLeg(view, leg, at));
  way.hops.forEach((hop, at) => nameHop(view, hop, at));
}

function drawLeg({ ctx, bbox, scale, colours, x, top }, leg, at) {
  const y = top(at);
  ctx.fillStyle = `${colours.server}14`;
  ctx.fillRect(bbox.left, y, bbox.width, LEG * scale);
  if (leg.asked !== null) {
    ctx.fillStyle = colours.client;
    ctx.fillRect(x(leg.asked) - scale, y + 5 * scale, 2.5 * scale, (LEG - 10) * scale);
  }
  ctx.fillStyle = colours.server;
  const known = new Set();
  for (const time of leg.time) {
    const place = Math.round(x(time));
    if (known.has(place)) continue;
    known.add(place);
    ctx.fillRect(place - 1.5 * scale, y + 3 * scale, 3 * scale, (LEG - 6) * scale);
  }
}

/** The band of the added delay, and a line for each element, up to MOST_LINES of them. */
function drawHop({ ctx, scale, colours, x, top }, hop, near, far, at) {
  const upper = top(at) + LEG * scale;
  const lower = top(at + 1);
  const { length } = hop.near;
  if (!length) return;
  const step = Math.max(Math.ceil(length / MOST_LINES), 1);
  const pairs = [];
  for (let index = 0; index < length; index += step) {
    pairs.push([x(near.time[hop.near[index]]), x(far.time[hop.far[index]]), hop.added[index]]);
  }
  const isHeld = hop.record.is_fault;
  const tone = toneOf(hop, colours);
  const colour = isHeld ? tone : colours.server;
  ctx.fillStyle = `${colour}26`;
  ctx.beginPath();
  pairs.forEach(([, there], index) =>
    index ? ctx.lineTo(there, lower) : ctx.moveTo(there, lower),
  );
  [...pairs].reverse().forEach(([here]) => ctx.lineTo(here, upper));
  ctx.closePath();
  ctx.fill();
  ctx.lineWidth = scale;
  ctx.setLineDash([]);
  for (const [here, there, added] of pairs) {
    ctx.strokeStyle = added >= LATE && isHeld ? tone : `${colours.server}aa`;
    ctx.beginPath();
    ctx.moveTo(there, lower);
    ctx.lineTo(here, upper);
    ctx.stroke();
  }
  ctx.fillStyle = colours.bad;
  for (const lost of hop.lost)
    ctx.fillRect(x(far.time[lost]) - 2 * scale, lower - 12 * scale, 4 * scale, 12 * scale);
}

/** The colour of what a hop did wrong, as in the answer. */
const toneOf = (hop, colours) => (hop.record.severity === "error" ? colours.bad : colours.warn);

const port = (address) => address.slice(address.lastIndexOf(":"));

/** Who talks to whom on a leg: the hops before and after it, by their names if they have told them. */
function saysLeg(at) {
  const { hops } = state.way;
  const named = hops.map((hop, index) =>
    hop.is_path ? "the network" : hop.proxy.replace(/[/ ].*/, "") || `hop ${index + 1}`,
  );
  return ["client", ...named, "server"].slice(at, at + 2).join(" – ");
}

function nameLeg({ ctx, bbox, scale, colours, gutter, top }, leg, at) {
  const y = top(at) + (LEG * scale) / 2;
  const left = bbox.left - (gutter - 8) * scale;
  const isChosen = leg.key === currentRow()?.key;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = isChosen ? colours.accent : colours.ink;
  ctx.font = `${isChosen ? 600 : 400} ${11.5 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  const room = (gutter - 12) * scale;
  ctx.fillText(leg.name ?? saysLeg(at), left, y - 7 * scale, room);
  ctx.fillStyle = colours.quiet;
  ctx.font = `${10.5 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  const things = count(leg.elements, elementsOf(currentRow())[1]);
  ctx.fillText(`${port(leg.server)}, ${things}`, left, y + 7 * scale, room);
}

/** What the hop did, in the room between its legs. */
function nameHop({ ctx, bbox, scale, colours, gutter, top }, hop, at) {
  const y = top(at) + (LEG + BETWEEN / 2) * scale;
  const left = bbox.left - (gutter - 8) * scale;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.font = `600 ${11 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.fillStyle = hop.record.is_fault ? toneOf(hop, colours) : colours.good;
  ctx.fillText(hop.record.answer, left, y - 7 * scale);
  ctx.font = `${10.5 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.fillStyle = colours.quiet;
  const who = hop.is_path ? "the network" : hop.proxy || `hop ${hop.number}`;
  ctx.fillText(who.slice(0, 16), left, y + 7 * scale);
  if (hop.median === null) return;
  const verb = hop.record.answer === "holds" ? "held" : "added";
  let text = `${verb}: ${duration(hop.median)} at the median, ${duration(hop.most)} at most`;
  ctx.font = `600 ${12 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  if (ctx.measureText(text).width > bbox.width - 20 * scale)
    text = `${verb}: ${duration(hop.most)} at most`;
  const width = ctx.measureText(text).width;
  // Lines of what was held lean to the right: above their beginnings there is room.
  const x = bbox.left + 12 * scale;
  const line = y - 15 * scale;
  ctx.fillStyle = `${colours.card}e6`;
  ctx.fillRect(x - 6 * scale, line - 9 * scale, width + 12 * scale, 18 * scale);
  ctx.fillStyle = hop.record.is_fault ? toneOf(hop, colours) : colours.quiet;
  ctx.fillText(text, x, line);
}
