// Bytes as hex and text, in the colours of their layers: those of a packet, or what a TLS record
// held. A click on a byte chooses the innermost element that it belongs to.

import { el } from "./dom.js";
import { fromBase64, hex } from "./format.js";
import { VirtualRows } from "./rows.js";
import { chooseElement, choosePacket } from "./store.js";

export const WIDTH = 16; // bytes in a row
export const HALF = 8; // and where two dumps stand beside each other
export const NAMES = {
  y: "TLS record",
  a: "HTTP/2 frame",
  h: "DATA frame",
  s: "Stall",
  q: "Request",
  r: "Response",
  k: "Chunk",
  t: "Data",
  b: "Body",
  e: "Event",
  x: "Element",
  f: "Frame",
  m: "Message",
  g: "Gap",
  d: "Diagnostic",
};
const INNERMOST = ["e", "m", "x", "f", "k", "h", "t", "q", "r", "b", "a", "y"]; // whose byte it is, if several hold it
export const LAYERS = {
  record: "encrypted",
  head: "HTTP head",
  framing: "framing",
  payload: "payload",
};

/** The colour of a layer. */
export function styleOf(name, style) {
  if (name === "TCP") return "tcp";
  if (name.startsWith("IPv")) return "ip";
  if (name === "TCP payload") return "payload";
  return style.startsWith("layer") ? "link" : style;
}

/** Bytes as hex and text; `frame` says what lies in them, `label` what they are. */
export class HexDump {
  constructor(frame, ranges, label, width = WIDTH) {
    this.width = width;
    this.frame = frame;
    this.data = fromBase64(frame.data);
    this.styles = stylesOf(frame, this.data.length);
    this.chosen = new Uint8Array(this.data.length);
    for (const [, start, end] of ranges) this.chosen.fill(1, start, end);
    this.flashed = [0, 0];
    this.list = new VirtualRows({
      label,
      height: 18,
      className: `hex-dump${width === HALF ? " half" : ""}`,
      render: (row) => this.cells(row),
      choose: (row, event) => this.choose(row, event),
    });
    this.list.resize(Math.ceil(this.data.length / this.width));
    this.node = this.list.node;
    this.node.addEventListener("mouseover", (event) => this.hover(event));
  }

  cells(row) {
    const start = row * this.width;
    const end = Math.min(start + this.width, this.data.length);
    const hexes = el("span", { class: "hexes" });
    const chars = el("span", { class: "chars" });
    for (let index = start; index < end; index += 1) {
      const byte = this.data[index];
      const next = index + 1 < end && this.isSame(index, index + 1);
      const style = this.style(index);
      hexes.append(
        el("b", { class: `${style}${next ? " on" : ""}`, "data-byte": index }, hex(byte, 2)),
      );
      chars.append(
        el(
          "b",
          { class: style, "data-byte": index },
          byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·",
        ),
      );
    }
    const line = el(
      "span",
      { role: "gridcell", class: "line" },
      el("span", { class: "offset" }, hex(start, 4)),
      hexes,
      chars,
    );
    return { cells: [line], marks: "" };
  }

  isSame(one, other) {
    return this.chosen[one] && this.chosen[other];
  }

  style(index) {
    const isFlashed = index >= this.flashed[0] && index < this.flashed[1];
    return `${this.styles[index]}${this.chosen[index] ? " hit" : ""}${isFlashed ? " flash" : ""}`;
  }

  reveal(offset) {
    requestAnimationFrame(() => {
      this.list.node.scrollTop =
        Math.max(Math.floor(offset / this.width) - 2, 0) * this.list.height;
    });
  }

  /** Show which bytes a layer has. */
  flash(start, end) {
    this.flashed = [start, end];
    this.list.redraw();
    this.reveal(start);
  }

  /** Choose the element that a byte belongs to. */
  choose(row, event) {
    const byte = event?.target.closest("[data-byte]");
    if (!byte) {
      this.list.select(row);
      return;
    }
    const part = this.partAt(Number(byte.dataset.byte));
    if (part) chooseElement(part[4], part[3], part[5]);
    else choosePacket(this.frame.packet, this.frame.capture);
  }

  /** The innermost element that holds a byte. */
  partAt(index) {
    const holding = this.frame.parts.filter(([start, end]) => index >= start && index < end);
    for (const kind of INNERMOST) {
      const part = holding.find((one) => one[3] === kind);
      if (part) return part;
    }
    return null;
  }

  hover(event) {
    const byte = event.target.closest?.("[data-byte]");
    if (!byte || byte.title) return;
    const index = Number(byte.dataset.byte);
    const part = this.partAt(index);
    const layer = this.frame.layers.find(([, start, end]) => index >= start && index < end);
    const what = part ? `${NAMES[part[3]].toLowerCase()} ${part[5]}` : (layer?.[0] ?? "");
    byte.title = `byte ${index} (0x${hex(index, 4)}): ${what}`;
  }
}

/** The colour of each byte: its layer, and within the payload what it is to HTTP or WebSocket. */
function stylesOf(frame, length) {
  const styles = new Array(length).fill("link");
  const paint = (start, end, style) =>
    styles.fill(style, Math.max(start, 0), Math.min(end, length));
  frame.layers.forEach(([name, start, end]) => paint(start, end, styleOf(name, "layer")));
  for (const [start, end, layer] of frame.parts) if (layer !== "content") paint(start, end, layer);
  return styles;
}
