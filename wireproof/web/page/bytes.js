// The bytes pane: the packets that carried the chosen element, each as hex and text with the
// element's bytes highlighted, layer by layer. Offsets count the bytes of the frame from 0, as
// Wireshark's do. A click on a byte chooses the element that it belongs to.

import { copyButton, el, fill, byId, queryAll } from "./dom.js";
import {
  asText,
  bytes,
  clock,
  count,
  dataText,
  fromBase64,
  hex,
  number,
  oneLine,
  span,
} from "./format.js";
import { jsonOf, jsonTree } from "./json.js";
import { VirtualRows } from "./rows.js";
import {
  captureOf,
  chooseElement,
  chooseNothing,
  choosePath,
  choosePacket,
  emit,
  linkTo,
  on,
  state,
  within,
} from "./store.js";

const WIDTH = 16; // bytes in a row
const NAMES = {
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
const INNERMOST = ["e", "m", "x", "f", "k", "h", "t", "q", "r", "b"]; // whose byte it is, if several hold it
const LAYERS = { head: "HTTP head", framing: "framing", payload: "payload" };

export class Bytes {
  constructor() {
    this.host = byId("bytes");
    this.asked = 0;
    on("element", () => this.show());
    on("exchange", () => this.show());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close(event));
    this.show();
  }

  /** Fold the pane: nothing is chosen any more. */
  close(event) {
    if (event.target.closest?.("dialog, input") || !(state.element || state.packet)) return;
    chooseNothing();
  }

  async show() {
    const asked = (this.asked += 1);
    const isAsked = Boolean(state.element || state.packet);
    document.documentElement.dataset.bytes = isAsked ? "yes" : "no";
    if (!isAsked) return void fill(this.host);
    this.capture = state.element ? captureOf(state.element.key) : state.capture;
    let found = null;
    try {
      if (state.element) found = await this.element(state.element);
      if (asked !== this.asked) return;
      const numbers = found ? carriersOf(found) : [state.packet];
      await this.draw(found, numbers, asked);
    } catch (error) {
      if (asked === this.asked)
        fill(this.host, el("p", { class: "empty" }, `There is nothing to show: ${error.message}`));
    }
  }

  async element({ key, kind, row }) {
    const size = state.summary.pages.rows;
    const page = await state.source.get(`rows/${key}/${kind}/${Math.floor(row / size)}`);
    const found = page.rows[row % size];
    if (!found) throw new Error("there is no such element");
    return found.cut ? state.source.get(`element/${key}/${kind}/${row}`) : found;
  }

  async draw(found, numbers, asked) {
    const first = numbers[0];
    this.frames = el("div", { class: "frame-view" });
    this.choices = el("div", {
      class: "carriers",
      role: "group",
      "aria-label": "Packets that carried it",
    });
    const pieces = found ? [title(found), facts(found), payload(found)] : [];
    const about = el("div", { class: "about" }, pieces);
    if (!first) {
      fill(
        this.host,
        closeButton(),
        about,
        el("p", { class: "empty" }, "No packet carried bytes of it."),
      );
      return;
    }
    this.found = found;
    if (numbers.length > 1) {
      fill(
        this.choices,
        numbers.slice(0, 64).map((number) =>
          el(
            "button",
            {
              type: "button",
              class: "small",
              "data-packet": number,
              onclick: () => this.packet(number),
            },
            `${number}`,
          ),
        ),
      );
      if (found?.more || numbers.length > 64)
        this.choices.append(el("span", { class: "quiet" }, "and more"));
    }
    const label = numbers.length > 1 ? el("span", { class: "quiet" }, "Packets") : null;
    const strip = numbers.length > 1 ? el("div", { class: "strip" }, label, this.choices) : null;
    const isNew = asked === this.asked;
    if (!isNew) return;
    fill(this.host, closeButton(), about, strip, this.frames);
    await this.packet(first);
  }

  /** Show one of the packets. */
  async packet(number) {
    const asked = this.asked;
    const frame = await state.source.get(`packet/${within(this.capture, number)}`);
    if (asked !== this.asked) return;
    for (const button of queryAll(this.choices, "button"))
      button.setAttribute("aria-pressed", String(button.dataset.packet === String(number)));
    const ranges = (this.found?.carried ?? []).filter(([packet]) => packet === number);
    this.dump = new HexDump(frame, ranges, this.found);
    fill(this.frames, this.heading(frame), this.layers(frame, ranges), this.dump.node);
    this.dump.reveal(ranges.length ? ranges[0][1] : 0);
    emit("bytes");
  }

  heading(frame) {
    const cut = frame.captured < frame.length ? `, ${number(frame.captured)} captured` : "";
    const flags = frame.flags.length ? ` [${frame.flags.join(", ")}]` : "";
    const by = frame.sender ? ` from the ${frame.sender}` : "";
    const again =
      frame.payload && !frame.brought.length
        ? el(
            "span",
            { class: "warn" },
            " These bytes had come before: they belong to the packet that brought them first.",
          )
        : null;
    return el(
      "div",
      { class: "frame-head" },
      el("h3", {}, `Packet ${frame.packet}`),
      el("span", {}, `${number(frame.length)} bytes${cut}${by}${flags}, ${clock(frame.time)} UTC`),
      again,
      frame.filter && !this.found ? filterLine(frame.filter) : null,
    );
  }

  /** The layers, outermost first; each shows its bytes when it is chosen. */
  layers(frame, ranges) {
    const layers = frame.layers.map(([name, start, end], index) => [
      name,
      start,
      end,
      `layer${index}`,
    ]);
    const inside = framingOf(frame, ranges).map(([name, start, end, style]) => [
      name,
      start,
      end,
      style,
    ]);
    const shown = [
      ...layers.filter(([name]) => name !== "TCP payload" || !inside.length),
      ...inside,
    ];
    return el(
      "div",
      { class: "layers", role: "group", "aria-label": "Layers" },
      shown.map(([name, start, end, style]) =>
        el(
          "button",
          {
            type: "button",
            class: `layer ${styleOf(name, style)}`,
            title: `${number(end - start)} bytes, ${start} to ${end - 1}`,
            onclick: () => this.dump.flash(start, end),
          },
          name,
          el("small", {}, ` ${hex(start, 4)}–${hex(end - 1, 4)}`),
        ),
      ),
    );
  }
}

const closeButton = () =>
  el(
    "button",
    {
      type: "button",
      class: "small close",
      title: "Fold this pane (Escape)",
      "aria-label": "Fold the bytes",
      onclick: chooseNothing,
    },
    "✕",
  );

/** The packets of an element: those that carried its bytes, else those of its record. */
function carriersOf(found) {
  const numbers = [...new Set(found.carried.map(([packet]) => packet))];
  if (numbers.length) return numbers;
  return found.record.last_packet > 0 ? [found.record.last_packet] : [];
}

/** What lies in the payload near what is highlighted: HTTP heads, chunk framing, frames. */
function framingOf(frame, ranges) {
  const near = ([start, end]) =>
    !ranges.length || ranges.some(([, from, upto]) => start < upto + 64 && end > from - 64);
  return frame.parts
    .filter(([start, end, layer]) => layer !== "content" && near([start, end]))
    .slice(0, 12)
    .map(([start, end, layer, kind, , row]) => [
      `${NAMES[kind]}${kind === "q" || kind === "r" ? "" : ` ${row}`} ${LAYERS[layer]}`.replace(
        /^(Request|Response).*/,
        "$1 head",
      ),
      start,
      end,
      layer,
    ]);
}

function styleOf(name, style) {
  if (name === "TCP") return "tcp";
  if (name.startsWith("IPv")) return "ip";
  if (name === "TCP payload") return "payload";
  return style.startsWith("layer") ? "link" : style;
}

function title(found) {
  const { record, kind, row, key } = found;
  const type = { e: record.event, f: record.opcode_name, m: record.type, d: record.code }[kind];
  const where = linkTo({ key, kind, row });
  return el(
    "h2",
    {},
    `${NAMES[kind]} ${number(row)}`,
    type ? el("span", { class: "type" }, oneLine(type, 60)) : null,
    el("a", { class: "link", href: where, title: "A link to this element" }, where),
  );
}

function facts(found) {
  const { record } = found;
  const packets =
    record.last_packet > 0 ? `packet ${span(record.first_packet, record.last_packet)}` : null;
  const place = record.sender
    ? `bytes ${number(record.offset)} to ${number(record.offset + record.length)} of the ${record.sender}'s stream`
    : null;
  const said = [packets, record.length ? count(record.length, "byte") : null, place]
    .filter(Boolean)
    .join(" · ");
  return [el("p", { class: "where" }, said), found.filter ? filterLine(found.filter) : null];
}

function filterLine(filter) {
  return el("p", { class: "filter" }, el("code", {}, filter), copyButton(filter, "filter"));
}

/** What an element says, laid out. */
function payload(found) {
  const { record, kind } = found;
  const text =
    kind === "d"
      ? record.summary
      : kind === "q" || kind === "r" || kind === "b"
        ? null
        : dataText(record, 4000);
  if (!text) return null;
  const json = record.encoding === "base64" ? undefined : jsonOf(record.data ?? "");
  const note = record.encoding === "base64" ? "bytes" : json ? "JSON" : "text";
  return el(
    "details",
    { class: "said", open: true },
    el(
      "summary",
      {},
      `${note}, ${bytes(record.size ?? record.payload_length ?? new Blob([text]).size)}`,
    ),
    copyButton(record.encoding === "base64" ? record.data : text, "value"),
    json
      ? el(
          "div",
          { class: "json-tree", tabindex: "0", role: "group", "aria-label": "What it says" },
          jsonTree(json, (path) => choosePath(kind, path)),
        )
      : el("pre", { tabindex: "0", "aria-label": "What it says" }, asText(text.slice(0, 200_000))),
  );
}

/** A frame as hex and text. */
class HexDump {
  constructor(frame, ranges, found) {
    this.frame = frame;
    this.found = found;
    this.data = fromBase64(frame.data);
    this.styles = stylesOf(frame, this.data.length);
    this.chosen = new Uint8Array(this.data.length);
    for (const [, start, end] of ranges) this.chosen.fill(1, start, end);
    this.flashed = [0, 0];
    this.list = new VirtualRows({
      label: `Bytes of packet ${frame.packet}`,
      height: 18,
      className: "hex-dump",
      render: (row) => this.cells(row),
      choose: (row, event) => this.choose(row, event),
    });
    this.list.resize(Math.ceil(this.data.length / WIDTH));
    this.node = this.list.node;
    this.node.addEventListener("mouseover", (event) => this.hover(event));
  }

  cells(row) {
    const start = row * WIDTH;
    const end = Math.min(start + WIDTH, this.data.length);
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
      this.list.node.scrollTop = Math.max(Math.floor(offset / WIDTH) - 2, 0) * this.list.height;
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
