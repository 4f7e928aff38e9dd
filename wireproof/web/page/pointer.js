// What the pointer is over in a timeline: it says what that is, and a click chooses it.

import { el, fill } from "./dom.js";
import { bytes, duration } from "./format.js";
import { LANE_HEIGHT, legAt, legsHeight } from "./legs.js";
import { pathUnder } from "./path.js";
import { tripUnder } from "./trips.js";
import { GUTTER } from "./ruler.js";
import { chooseElement, chooseExchange, choosePacket, currentRow, state, wireOf } from "./store.js";
import { LANE_NAMES, WIRE_KINDS } from "./wiretables.js";

/**
 * The element under the pointer: [lane, index], or null.
 * @param {Timeline} timeline @param {MouseEvent} event
 * @returns {[Lane, number] | null}
 */
function under(timeline, event) {
  const plot = /** @type {Plot} */ (timeline.plot);
  const y = event.offsetY - legsHeight();
  const lane = y < 0 ? null : timeline.lanes[Math.floor(y / LANE_HEIGHT)];
  if (!lane) return null;
  const time = timeline.start + plot.posToVal(event.offsetX, "x");
  const after = lane.at(time);
  const before = after - 1;
  const far = (/** @type {number} */ index) =>
    index < 0 || index >= lane.length ? Infinity : Math.abs(lane.time(index) - time);
  const index = far(before) <= far(after) ? before : after;
  const pixels = Math.abs(plot.valToPos(lane.time(index) - timeline.start, "x") - event.offsetX);
  return pixels <= 8 ? [lane, index] : null;
}

/** What happened to packets under the pointer. @param {Timeline} timeline @param {MouseEvent} event */
const happenedUnder = (timeline, event) => pathUnder(timeline, event) ?? tripUnder(timeline, event);

/**
 * Choose what is under the pointer: a leg, what happened on the way, an element, a packet.
 * @param {Timeline} timeline @param {MouseEvent} event
 */
export function chooseUnder(timeline, event) {
  const leg = legAt(event.offsetY);
  if (leg >= 0 && state.way) {
    const { key } = state.way.legs[leg];
    if (state.rows.has(key)) chooseExchange(key);
    return;
  }
  const happened = happenedUnder(timeline, event);
  if (happened) return void choosePacket(happened.packet);
  const found = under(timeline, event);
  const row = currentRow();
  if (!found || !row) return;
  const [lane, index] = found;
  const isWire = WIRE_KINDS.includes(lane.kind);
  if (lane.kind === "p") choosePacket(lane.columns.packet[index]);
  else chooseElement(isWire ? wireOf(row) : row.key, lane.kind, index);
}

/** Say what is under the pointer. @param {Timeline} timeline @param {MouseEvent} event */
export function hover(timeline, event) {
  const happened = happenedUnder(timeline, event);
  const found = happened ? null : under(timeline, event);
  const { tip, host } = timeline;
  const plot = /** @type {Plot} */ (timeline.plot);
  const says = happened ? el("span", {}, happened.says) : found && said(timeline, ...found);
  tip.hidden = !says;
  plot.over.style.cursor = tip.hidden ? "crosshair" : "pointer";
  if (!says) return;
  fill(tip, says);
  const left = Math.min(event.offsetX + GUTTER + 12, host.clientWidth - tip.offsetWidth - 4);
  tip.style.transform = `translate(${Math.max(left, 0)}px, ${event.offsetY + 16}px)`;
}

/**
 * What a mark is, when it came, and how long after the one before.
 * @param {Timeline} timeline @param {Lane} lane @param {number} index
 */
function said(timeline, lane, index) {
  const { time, size, sender, packet } = lane.columns;
  const what =
    lane.kind === "p"
      ? `packet ${packet[index]}`
      : `${LANE_NAMES[lane.kind].slice(0, -1)} ${index}`;
  const gap = index ? `, ${duration(time[index] - time[index - 1])} after the one before` : "";
  const by = sender[index] ? "↓ received" : "↑ sent";
  return [
    el("b", {}, what),
    ` ${by}, ${bytes(size[index])}, at ${duration(time[index] - timeline.start)}${gap}`,
  ];
}
