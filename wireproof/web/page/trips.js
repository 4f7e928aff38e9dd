// How long the other end took to acknowledge what it had been sent, as a lane of points: what a
// stream is to be judged by that waits for round trips. On the loopback there is nothing to see.

import { duration } from "./format.js";
import { LANE_HEIGHT } from "./legs.js";
import { nameLane } from "./ruler.js";
import { state, within } from "./store.js";
import { QUIC } from "./lanes.js";

const SHOWN_FROM = 0.001; // seconds that one takes at least where there is such a lane
const LEAST = 3; // points in it
const ROOM = 8; // pixels of the lane above and below the points
const NEAR = 6; // pixels beside a point that are still it

/**
 * @typedef {{time: number, seconds: number, packet: number, sender: number}} Trip
 */

/**
 * The round trips while an exchange goes on; none if all are too short to see.
 * @param {Row} row
 * @returns {Promise<Trip[]>}
 */
export async function tripsOf(row) {
  if (row.connection === null || row.connection >= QUIC) return [];
  const name = within(row.capture, row.connection);
  const found = await state.source.get(`roundtrips/${name}`);
  /** @type {Trip[]} */
  const trips = found.time
    .map((/** @type {number} */ time, /** @type {number} */ index) => ({
      time,
      seconds: found.seconds[index],
      packet: found.packet[index],
      sender: found.sender[index],
    }))
    .filter(
      (/** @type {Trip} */ { time }) =>
        time >= row.first_time - 1e-9 && time <= row.last_time + 1e-9,
    );
  return trips.length >= LEAST && longest(trips) >= SHOWN_FROM ? trips : [];
}

/** @param {Trip[]} trips */
const longest = (trips) => trips.reduce((most, { seconds }) => Math.max(most, seconds), 0);

/**
 * Draw the lane: a point for each, in the colour of who acknowledged.
 * @param {Timeline} timeline @param {Plot} plot @param {number} scale
 */
export function drawTrips(timeline, plot, scale) {
  const { trips, colours } = timeline;
  if (!trips?.length) return;
  const { ctx, bbox } = plot;
  const most = longest(trips);
  const top = bbox.top + timeline.topOf("trips") * scale;
  nameLane(plot, colours, top, LANE_HEIGHT, "round trips", `up to ${duration(most)}`);
  ctx.font = `${10 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const right = bbox.left + bbox.width;
  for (const part of [1, 0]) {
    const y = top + heightOf(part) * scale;
    ctx.fillStyle = colours.line;
    ctx.fillRect(bbox.left, Math.round(y), bbox.width, 1);
    ctx.fillStyle = colours.quiet;
    ctx.fillText(part ? duration(most) : "0", right + 6 * scale, y);
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, top, bbox.width, LANE_HEIGHT * scale);
  ctx.clip();
  const size = 4 * scale;
  for (const { time, seconds, sender } of trips) {
    const x = plot.valToPos(time - timeline.start, "x", true);
    const y = top + heightOf(seconds / most) * scale;
    ctx.fillStyle = sender ? colours.server : colours.client;
    ctx.fillRect(Math.round(x - size / 2), Math.round(y - size / 2), size, size);
  }
  ctx.restore();
}

/** Where in the lane a part of the longest one stands. @param {number} part */
const heightOf = (part) => LANE_HEIGHT - ROOM - part * (LANE_HEIGHT - 2 * ROOM);

/**
 * The round trip under the pointer, as what can be said and chosen; null if there is none.
 * @param {Timeline} timeline @param {MouseEvent} event
 */
export function tripUnder(timeline, event) {
  const { trips } = timeline;
  const plot = /** @type {Plot} */ (timeline.plot);
  const top = timeline.topOf("trips");
  if (!trips?.length || event.offsetY < top || event.offsetY >= top + LANE_HEIGHT) return null;
  const far = (/** @type {Trip} */ { time }) =>
    Math.abs(plot.valToPos(time - timeline.start, "x") - event.offsetX);
  const nearest = trips.reduce((best, trip) => (far(trip) < far(best) ? trip : best));
  if (far(nearest) > NEAR) return null;
  const who = nearest.sender ? "server" : "client";
  const says = `the ${who} acknowledged in packet ${nearest.packet} what had been sent ${duration(nearest.seconds)} before`;
  return { says, packet: nearest.packet };
}
