// Tables of elements: events, messages, frames, chunks, packets. Rows are fetched in pages when they
// come into view.

import { el, fill, queryAll } from "./dom.js";
import { bytes, clock, dataText, duration, number, oneLine, span } from "./format.js";
import { jsonOf, jsonText, pathText, valueAt } from "./json.js";
import { isRecorded } from "./lanes.js";
import { VirtualRows, cell } from "./rows.js";
import { chooseElement, choosePacket, choosePath, countOf, currentRow, state } from "./store.js";
import { frameType, saysFrame, saysRecord } from "./wiretables.js";

const ARROWS = { client: "↑", server: "↓" };
const SAYS = { client: "sent by the client", server: "sent by the server" };
const FLAG_NAMES = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];

const arrow = (sender) => cell(`arrow ${sender}`, ARROWS[sender], { title: SAYS[sender] });
const time = (record) =>
  cell("time", duration(record.last_time - currentRow().first_time), {
    title: `${clock(record.last_time)} UTC`,
  });
const packets = (record) =>
  cell("packets", span(record.first_packet, record.last_packet), { title: "Packets" });
const data = (text, className = "") =>
  cell(`data ${className}`, oneLine(text), { title: oneLine(text, 300) });

/** What an element says in its dialect, in place of its data: what it is, the content, and more. */
function content(found, otherwise, className = "") {
  if (!found.said) return data(otherwise, className);
  const [kind, what, text, more] = found.said;
  const pieces = [
    what && el("b", { class: `what ${kind}` }, what),
    text && el("span", {}, text),
    more && el("span", { class: "quiet" }, more),
  ];
  const apart = pieces.filter(Boolean).flatMap((piece, index) => (index ? [" ", piece] : [piece]));
  return cell("data said", apart, { title: oneLine(dataText(found.record), 300) });
}

/** The columns of each kind: [class, title], and the cells of a record with what belongs to it. */
const TABLES = {
  e: {
    label: "Server-sent events",
    columns: [
      ["number", "#"],
      ["id", "Id"],
      ["type", "Type"],
      ["data", "Data"],
      ["time", "Time"],
      ["gap", "Gap"],
      ["size", "Size"],
      ["packets", "Packets"],
    ],
    cells(record, row, gap, found) {
      const isComment = !record.dispatched && record.fields?.every(([name]) => name === "");
      const type = record.dispatched ? record.event : isComment ? "comment" : "not dispatched";
      const said = isComment
        ? record.fields.map(([, text]) => `:${text}`).join(" ")
        : (record.data ?? "");
      return [
        cell("number", number(row)),
        cell("id", oneLine(record.id, 40)),
        cell(`type${record.dispatched ? "" : " quiet"}`, oneLine(type, 60)),
        record.dispatched ? content(found, said) : data(said, "quiet"),
        time(record),
        gap,
        cell("size", bytes(record.length)),
        packets(record),
      ];
    },
  },
  m: {
    label: "WebSocket messages",
    columns: [
      ["arrow", ""],
      ["number", "#"],
      ["type", "Type"],
      ["data", "Data"],
      ["time", "Time"],
      ["gap", "Gap"],
      ["size", "Length"],
      ["frames", "Frames"],
      ["packets", "Packets"],
    ],
    cells: (record, row, gap, found) => [
      arrow(record.sender),
      cell("number", number(row)),
      cell("type", `${record.type}${record.compressed ? ", deflated" : ""}`),
      content(found, dataText(record), record.type === "binary" ? "hex" : ""),
      time(record),
      gap,
      cell("size", bytes(record.size)),
      cell("frames", number(record.frames)),
      packets(record),
    ],
  },
  f: {
    label: "WebSocket frames",
    columns: [
      ["arrow", ""],
      ["number", "#"],
      ["opcode", "Opcode"],
      ["bits", "Bits"],
      ["mask", "Mask"],
      ["data", "Payload"],
      ["time", "Time"],
      ["gap", "Gap"],
      ["size", "Length"],
      ["packets", "Packets"],
    ],
    cells(record, row, gap) {
      const bits = [
        record.fin && "FIN",
        record.rsv1 && "RSV1",
        record.rsv2 && "RSV2",
        record.rsv3 && "RSV3",
      ];
      const isClose = record.opcode === 8;
      const said = isClose
        ? `${record.close_code ?? "no code"} ${record.close_reason ?? ""}`
        : dataText(record);
      return [
        arrow(record.sender),
        cell("number", number(row)),
        cell(`opcode${record.opcode >= 8 ? " control" : ""}`, record.opcode_name),
        cell("bits", bits.filter(Boolean).join(" ")),
        cell("mask", record.masking_key ?? ""),
        data(said, record.encoding === "base64" && !isClose ? "hex" : ""),
        time(record),
        gap,
        cell("size", bytes(record.payload_length)),
        packets(record),
      ];
    },
  },
  k: {
    label: "Chunks",
    columns: [
      ["arrow", ""],
      ["number", "#"],
      ["data", "Data"],
      ["time", "Time"],
      ["gap", "Gap"],
      ["size", "Size"],
      ["packets", "Packets"],
    ],
    cells: (record, row, gap, found) => [
      arrow(record.sender),
      cell("number", number(row)),
      record.size
        ? content(found, dataText(record), record.encoding === "base64" ? "hex" : "")
        : data(lastChunk(record), "quiet"),
      time(record),
      gap,
      cell("size", bytes(record.size)),
      packets(record),
    ],
  },
};

TABLES.t = {
  label: "Runs of data",
  columns: TABLES.k.columns,
  cells: (record, row, gap, found) => [
    arrow(record.sender),
    cell("number", number(row)),
    content(found, dataText(record), record.encoding === "base64" ? "hex" : ""),
    time(record),
    gap,
    cell("size", bytes(record.size)),
    packets(record),
  ],
};
TABLES.y = {
  label: "TLS records",
  columns: TABLES.k.columns.map(([name, title]) => [
    name,
    name === "data" ? "Content Type" : title,
  ]),
  cells: (record, row, gap) => [
    arrow(record.sender),
    cell("number", number(row)),
    data(saysRecord(record), record.decrypted === "yes" ? "" : "quiet"),
    time(record),
    gap,
    cell("size", bytes(record.size)),
    packets(record),
  ],
};
TABLES.a = {
  label: "Frames of HTTP/2",
  columns: [
    ["arrow", ""],
    ["number", "#"],
    ["stream", "Stream"],
    ["type", "Type"],
    ["data", "Says"],
    ["time", "Time"],
    ["gap", "Gap"],
    ["size", "Size"],
    ["packets", "Packets"],
  ],
  cells: (record, row, gap) => [
    arrow(record.sender),
    cell("number", number(row)),
    cell("stream", record.stream_id ?? 0),
    cell("type", frameType(record)),
    data(saysFrame(record)),
    time(record),
    gap,
    cell("size", bytes(record.length)),
    packets(record),
  ],
};
TABLES.h = { ...TABLES.t, label: "DATA frames" };
TABLES.x = { ...TABLES.t, label: "Elements of the body" };

/** What the columns that can be sorted by are in a lane. */
const SORTED = {
  number: (_, row) => row,
  time: (lane, row) => lane.time(row),
  gap: (lane, row) => (row && isRecordedAt(lane, row) ? lane.time(row) - lane.time(row - 1) : 0),
  size: (lane, row) => lane.columns.size[row],
};

function lastChunk(record) {
  const trailers = (record.trailers ?? []).map(([name, value]) => `${name}: ${value}`);
  return ["last chunk", ...trailers].join("; ");
}

/** Whether nothing is missing between an element and the one before it. */
const isRecordedAt = (lane, row) => isRecorded(lane.time(row - 1), lane.time(row));

/** A cell with the gap before an element, and a bar as long as the gap. */
function gapCell(gap, longest) {
  const node = cell("gap", gap === null ? "" : duration(gap));
  if (gap !== null && longest > 0) {
    const bar = el("i");
    bar.style.width = `${Math.round((92 * gap) / longest)}%`;
    node.prepend(bar);
  }
  return node;
}

const marksOf = (packet, isFound) =>
  `${state.cited.has(packet) ? "cited " : ""}${isFound ? "found" : ""}`;

/** The table of one kind of element of an exchange. */
export class ElementTable {
  constructor(kind, key) {
    this.kind = kind;
    this.key = key;
    this.pages = new Map();
    const { label, columns } = TABLES[kind];
    this.list = new VirtualRows({
      label,
      height: 24,
      className: `table ${kind}`,
      render: (index) => this.cells(this.rowAt(index)),
      choose: (index) => chooseElement(this.key, this.kind, this.rowAt(index)),
    });
    this.sorted = { by: "number", sign: 1 };
    this.order = null; // the rows as they are sorted, null if they are as they came
    const heads = columns.map(([name, title]) =>
      name in SORTED ? this.head(name, title) : el("div", { class: `head ${name}` }, title),
    );
    const place = columns.findIndex(([name]) => name === "data");
    this.title = heads[place];
    this.dataTitle = columns[place][1];
    this.nameData();
    this.node = el(
      "div",
      { class: "panel-table" },
      el("div", { class: `table heads ${kind}` }, heads),
      this.list.node,
    );
  }

  head(name, title) {
    return el(
      "button",
      {
        type: "button",
        class: `head sortable ${name}`,
        title: `Sort by ${title === "#" ? "arrival" : title.toLowerCase()}`,
        onclick: () => this.sort(name),
      },
      title,
    );
  }

  /** Show the data, or what is at a path of JSON, in the column of the data. */
  followPath() {
    this.nameData();
    this.list.redraw();
  }

  nameData() {
    const path = state.paths.get(this.kind);
    const back = {
      type: "button",
      class: "small",
      title: "Show the data again",
      "aria-label": "Data",
    };
    fill(
      this.title,
      path
        ? [
            el("code", {}, pathText(path)),
            el("button", { ...back, onclick: () => choosePath(this.kind, null) }, "✕"),
          ]
        : this.dataTitle,
    );
  }

  /** The cells of a row, its data as the chosen path has it. */
  filled(found, row) {
    const cells = TABLES[this.kind].cells(found.record, row, this.gap(row), found);
    const path = state.paths.get(this.kind);
    if (!path) return cells;
    const value = valueAt(jsonOf(found.record.data ?? ""), path);
    const text = typeof value === "string" ? value : jsonText(value);
    return cells.map((one) => (one.classList.contains("data") ? data(text) : one));
  }

  /** Sort by a column of the lane; once more turns it around. */
  sort(name) {
    const isAgain = this.sorted.by === name;
    this.sorted = { by: name, sign: isAgain ? -this.sorted.sign : name === "number" ? 1 : -1 };
    const direction = this.sorted.sign > 0 ? "up" : "down";
    for (const head of queryAll(this.node, ".sortable"))
      head.dataset.sorted = head.classList.contains(name) ? direction : "";
    this.update();
  }

  /** Put the rows in order: by what the lane's columns say, so that no record is fetched for it. */
  arrange(total) {
    const { by, sign } = this.sorted;
    const lane = state.lanes.find((one) => one.kind === this.kind);
    this.order = null;
    if (!lane || (by === "number" && sign > 0)) return;
    const value = SORTED[by];
    const values = Float64Array.from({ length: total }, (_, row) =>
      row < lane.length ? value(lane, row) : 0,
    );
    this.order = Uint32Array.from(values.keys()).sort(
      (one, other) => sign * (values[one] - values[other]) || one - other,
    );
    this.places = new Uint32Array(total);
    this.order.forEach((row, index) => (this.places[row] = index));
  }

  rowAt(index) {
    return this.order ? this.order[index] : index;
  }

  /** Show what there is now. */
  update() {
    const total = countOf(this.key, this.kind);
    // Only the last page may have been incomplete.
    const last = Math.floor(Math.max(total - 1, 0) / this.size);
    for (const page of this.pages.keys()) {
      const rows = this.pages.get(page);
      if (
        rows &&
        rows.length < this.size &&
        (page < last || page * this.size + rows.length < total)
      )
        this.pages.delete(page);
    }
    this.arrange(total);
    this.list.resize(total);
    this.mark();
  }

  get size() {
    return state.summary.pages.rows;
  }

  mark() {
    const chosen = state.element;
    const isHere = chosen?.key === this.key && chosen.kind === this.kind;
    const index = isHere && this.order ? this.places[chosen.row] : chosen?.row;
    this.list.select(isHere ? index : -1, isHere);
  }

  cells(row) {
    const page = Math.floor(row / this.size);
    const rows = this.pages.get(page);
    const found = rows?.[row - page * this.size];
    if (!found) {
      if (!this.pages.has(page)) this.fetch(page);
      return { cells: [cell("number", number(row)), cell("data quiet", "…")], marks: "" };
    }
    const cells = this.filled(found, row);
    const isFound = state.found.get(this.kind)?.has(row);
    return { cells, marks: marksOf(found.record.last_packet, isFound) };
  }

  gap(row) {
    const lane = state.lanes.find((one) => one.kind === this.kind);
    if (!lane || row < 1 || row >= lane.length) return gapCell(null, 0);
    if (!isRecordedAt(lane, row)) return cell("gap", "not recorded");
    return gapCell(Math.max(lane.time(row) - lane.time(row - 1), 0), this.longest(lane));
  }

  longest(lane) {
    if (this.measured !== lane.length || this.holes !== state.holes) {
      this.measured = lane.length;
      this.holes = state.holes;
      this.most = 0;
      for (let index = 1; index < lane.length; index += 1) {
        if (isRecordedAt(lane, index))
          this.most = Math.max(this.most, lane.time(index) - lane.time(index - 1));
      }
    }
    return this.most;
  }

  async fetch(page) {
    this.pages.set(page, null);
    try {
      const answer = await state.source.get(`rows/${this.key}/${this.kind}/${page}`);
      this.pages.set(page, answer.rows);
    } catch {
      this.pages.delete(page);
      return;
    }
    this.list.redraw();
  }
}

/** The table of the packets of an exchange's connection. */
export class PacketTable {
  constructor() {
    this.list = new VirtualRows({
      label: "Packets of the connection",
      height: 24,
      className: "table p",
      render: (index) => this.cells(index),
      choose: (index) => choosePacket(this.lane.columns.packet[index]),
    });
    const titles = [
      ["arrow", ""],
      ["number", "Packet"],
      ["data", "Flags"],
      ["time", "Time"],
      ["gap", "Gap"],
      ["size", "Payload"],
    ];
    const heads = titles.map(([name, title]) => el("div", { class: `head ${name}` }, title));
    this.node = el(
      "div",
      { class: "panel-table" },
      el("div", { class: "table heads p" }, heads),
      this.list.node,
    );
  }

  update() {
    // Kept, so that a row drawn a frame later is of the packets that were counted here: those of
    // the next exchange may still be on their way.
    this.lane = state.lanes.find((lane) => lane.kind === "p");
    this.list.resize(this.lane?.length ?? 0);
    this.mark();
  }

  mark() {
    const isHere = state.capture === (currentRow()?.capture ?? 0);
    const index = isHere ? (this.lane?.packetIndex(state.packet) ?? -1) : -1;
    this.list.select(index, index >= 0);
  }

  cells(index) {
    const { columns } = this.lane;
    const sender = columns.sender[index] ? "server" : "client";
    const flags = FLAG_NAMES.filter((_, bit) => (columns.flags[index] >> bit) & 1).join(", ");
    const again = columns.again[index] ? "; sent again: these bytes arrived before" : "";
    const gap = index ? Math.max(columns.time[index] - columns.time[index - 1], 0) : null;
    const cells = [
      arrow(sender),
      cell("number", String(columns.packet[index])),
      cell(`data${again ? " warn" : ""}`, `${flags}${again}`),
      cell("time", duration(columns.time[index] - currentRow().first_time), {
        title: `${clock(columns.time[index])} UTC`,
      }),
      gapCell(gap, 0),
      cell("size", columns.size[index] ? bytes(columns.size[index]) : ""),
    ];
    const isFound = state.found.get("p")?.has(columns.packet[index]);
    return { cells, marks: marksOf(columns.packet[index], isFound) };
  }
}

/** A message in the middle of an empty panel. */
export const empty = (text) => el("p", { class: "empty" }, text);
