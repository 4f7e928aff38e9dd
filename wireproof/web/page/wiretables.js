// What a connection carried below its exchanges, in words: records of TLS, frames of HTTP/2.

import { bytes, number, oneLine } from "./format.js";

/** @type {{[type: string]: string}} */
const CONTENT_TYPES = {
  change_cipher_spec: "Change Cipher Spec",
  alert: "Alert",
  handshake: "Handshake",
  application_data: "Application Data",
  heartbeat: "Heartbeat",
}; // as Wireshark names them
const NO_CONTENT = 2; // of a record's marks: handshake, alerts and the like
export const WIRE_KINDS = ["y", "a"];

/** What the lanes are called. @type {{[kind: string]: string}} */
export const LANE_NAMES = {
  y: "TLS records",
  a: "HTTP/2 frames",
  h: "DATA frames",
  p: "packets",
  k: "chunks",
  t: "data runs",
  e: "events",
  x: "elements",
  f: "frames",
  m: "messages",
};

/** What a TLS record is. @param {WireRecord} record */
export function saysRecord(record) {
  const named = (/** @type {string} */ type) => CONTENT_TYPES[type] ?? type;
  const holds = record.content_type
    ? ` of ${named(record.content_type)}, ${bytes(record.content_size)}`
    : "";
  const missing = record.missing ? `, ${number(record.missing)} bytes are not in the capture` : "";
  const sealed = record.type === "application_data" ? "; not decrypted" : "";
  return `${named(record.type)}, ${bytes(record.size)}${record.decrypted === "yes" ? `; decrypted${holds}` : sealed}${missing}`;
}

/** What a frame of HTTP/2 says. @param {WireRecord} record */
export function saysFrame(record) {
  const settings = record.settings
    ?.map((/** @type {[string, number]} */ [name, value]) => `${name} ${number(value)}`)
    .join(", ");
  /** @type {{[record: string]: () => string}} */
  const says = {
    request: () => `${record.method} ${record.target}`,
    response: () => `${record.status}`,
    http2_data: () =>
      `${bytes(record.size)}${record.padding ? `, ${bytes(record.padding)} of padding` : ""}${record.end_stream ? ", END_STREAM" : ""}`,
    http2_frame: () =>
      [
        record.type === "HEADERS" && "trailers",
        record.ack && "ACK",
        settings,
        record.error_code,
        record.last_stream_id !== undefined && `last stream ${record.last_stream_id}`,
        record.increment !== undefined && `+${number(record.increment)} bytes`,
        record.rtt !== undefined && `${(record.rtt * 1e3).toFixed(1)} ms after the ping`,
        record.ping,
        record.debug,
      ]
        .filter(Boolean)
        .join(", "),
  };
  return oneLine(says[record.record](), 300);
}

/** @type {{[record: string]: string}} */
const FRAME_TYPES = { http2_data: "DATA", request: "HEADERS", response: "HEADERS" };

/**
 * The type of a frame, as RFC 9113 section 6 names it.
 * @param {WireRecord} record
 * @returns {string}
 */
export const frameType = (record) => FRAME_TYPES[record.record] ?? record.type;

/** What stands below the name of a lane of these: how many of what there are. @param {Lane} lane */
export function saysLane(lane) {
  const { mark } = lane.columns;
  let some = 0;
  for (let index = 0; index < lane.length; index += 1) {
    if (lane.kind === "y" ? mark[index] === 1 : mark[index] > 1) some += 1;
  }
  const all = number(lane.length);
  if (lane.kind === "a") return `${all}, ${number(some)} control`;
  return some ? `${all}, ${number(some)} opened` : `${all}, all sealed`;
}

/**
 * The colour of a mark: of what the chosen stream sent in full, of others' and what is sealed pale.
 * @param {Lane} lane @param {number} index @param {Colours} colours
 * @param {number | null | undefined} stream
 */
export function colourOfWire(lane, index, colours, stream) {
  const { mark, sender } = lane.columns;
  const colour = sender[index] ? colours.server : colours.client;
  if (lane.kind === "y") {
    if (mark[index] === NO_CONTENT) return colours.control;
    return mark[index] ? colour : `${colour}80`;
  }
  if (mark[index] > 1) return colours.control;
  return lane.columns.stream[index] === stream ? colour : `${colour}60`;
}
