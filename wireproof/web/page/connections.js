// The connections table: a row for each exchange, as in a browser's Network panel, with a waterfall.

import { el, fill, byId } from "./dom.js";
import { bytes, count, duration, number, oneLine } from "./format.js";
import { VirtualRows, cell } from "./rows.js";
import { chooseExchange, emit, on, state } from "./store.js";

const COLUMNS = [
  ["id", "#", "Connection and exchange"],
  ["method", "Method", "Request method"],
  ["target", "Target", "Request target, and who it was sent to"],
  ["status", "Status", "Response status"],
  ["transport", "Transport", "What the response streams by"],
  ["size", "Size", "Bytes of the body on the wire, framing included"],
  ["elements", "Events", "Events, elements, frames, chunks or runs of data"],
  ["duration", "Time", "From the request to the last byte"],
  ["ended", "Ended", "How it ended"],
  ["issues", "Issues", "Diagnostics"],
  ["start", "Waterfall", "When: waiting, then streaming"],
];
const BAD = /INCOMPLETE|reset/;

/** What a row is sorted by. */
const VALUES = {
  id: (row) => (row.connection ?? -1) * 1e6 + (row.exchange ?? -1),
  method: (row) => row.method ?? "",
  target: (row) => row.target ?? "",
  status: (row) => row.status ?? 0,
  transport: (row) => row.transport,
  size: (row) => row.size,
  elements: (row) => elementsOf(row)[0],
  duration: (row) => row.last_time - row.first_time,
  ended: (row) => row.ended ?? "",
  issues: (row) => ["note", "warning", "error"].indexOf(row.severity) * 1e6 + (row.counts.d ?? 0),
  start: (row) => row.first_time,
};

/** How many of what a row streams: what people count. */
export function elementsOf(row) {
  const { e, f, k, t, x } = row.counts;
  if (e) return [e, "event"];
  if (x) return [x, "element"];
  if (f) return [f, "frame"];
  if (t && !k) return [t, "run"];
  return [row.chunks || (k ?? 0), "chunk"]; // the last one carries nothing
}

/** What all of a row says, in lower case, for the filter. */
function saidBy(row) {
  const said = [row.method, row.target, row.host, row.status, row.reason, row.transport, row.ended];
  return [...said, row.severity, `c${row.connection}`].join(" ").toLowerCase();
}

export class Connections {
  constructor() {
    this.sorted = { by: "id", sign: 1 };
    this.visible = [];
    this.filter = byId("filter");
    this.list = new VirtualRows({
      label: "Connections",
      height: 26,
      className: "conn",
      render: (index) => this.cells(state.rows.get(this.visible[index])),
      choose: (index) => this.choose(index),
    });
    this.heads = COLUMNS.map(([name, title, says]) =>
      el("button", { class: `head ${name}`, type: "button", title: says, onclick: () => this.sort(name) }, title),
    );
    fill(byId("connections"), el("div", { class: "conn heads" }, this.heads), this.list.node);
    this.filter.addEventListener("input", () => this.update());
    on("rows", () => this.update());
    on("exchange", () => this.mark(true));
    this.update();
  }

  /** Show the rows that a filter takes. */
  show(filter) {
    this.filter.value = filter;
    this.update();
  }

  /** Sort by a column; once more turns it around. */
  sort(name) {
    const isAgain = this.sorted.by === name;
    this.sorted = { by: name, sign: isAgain ? -this.sorted.sign : 1 };
    this.update();
  }

  update() {
    const wanted = this.filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const keys = state.order.filter((key) => {
      if (!wanted.length) return true;
      const said = saidBy(state.rows.get(key));
      return wanted.every((word) => said.includes(word));
    });
    const { by, sign } = this.sorted;
    const value = (key) => VALUES[by](state.rows.get(key));
    keys.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      return a < b ? -sign : a > b ? sign : 0;
    });
    this.visible = keys;
    this.heads.forEach((head, index) => {
      const isBy = COLUMNS[index][0] === by;
      head.dataset.sorted = isBy ? (sign > 0 ? "up" : "down") : "";
    });
    this.scale();
    this.list.resize(keys.length);
    document.documentElement.style.setProperty("--rows", keys.length);
    this.mark();
    byId("shown").textContent =
      keys.length === state.order.length ? "" : `${number(keys.length)} of ${number(state.order.length)}`;
    emit("visible");
  }

  /** Set what the waterfall's width stands for. */
  scale() {
    let start = Infinity;
    let end = -Infinity;
    for (const key of this.visible) {
      const row = state.rows.get(key);
      if (!row.first_packet) continue;
      start = Math.min(start, row.first_time);
      end = Math.max(end, row.last_time);
    }
    this.start = Number.isFinite(start) ? start : 0;
    this.length = Math.max(end - start, 1e-6) || 1e-6;
  }

  mark(scrolls = false) {
    this.list.select(this.visible.indexOf(state.current), scrolls);
  }

  choose(index) {
    chooseExchange(this.visible[index]);
    this.list.reveal(index);
  }

  cells(row) {
    const [elements, thing] = elementsOf(row);
    const isStreaming = row.ended === null;
    const id = row.connection === null ? "file" : `${row.connection}${row.exchange ? `.${row.exchange}` : ""}`;
    const target = row.target ?? (row.connection === null ? "the capture file" : row.protocol ?? "connection");
    const ended = row.ended ?? (state.summary.state === "ended" ? "" : "streaming…");
    const cells = [
      cell("id", id),
      cell("method", oneLine(row.method ?? "", 20)),
      cell("target", oneLine(target, 300), { title: oneLine(`${row.host ?? ""}${target}`) }),
      cell(`status s${Math.trunc((row.status ?? 0) / 100)}`, row.status ?? "", { title: oneLine(row.reason ?? "") }),
      cell("transport", el("span", { class: `tag ${row.transport}` }, row.transport)),
      cell("size", row.size ? bytes(row.size) : ""),
      cell("elements", elements ? number(elements) : "", { title: count(elements, thing) }),
      cell("duration", duration(row.last_time - row.first_time)),
      cell(`ended${BAD.test(ended) ? " bad" : ""}`, ended, { title: ended }),
      cell("issues", row.counts.d ? this.issues(row) : ""),
      cell("start", this.bar(row)),
    ];
    cells.className = `${row.severity ?? ""}${isStreaming && state.summary.state === "live" ? " streaming" : ""}`;
    return cells;
  }

  issues(row) {
    return el("span", { class: `count ${row.severity}` }, number(row.counts.d));
  }

  /** The waterfall: waiting for the response, then its body. */
  bar(row) {
    const bar = el("div", { class: "bar", title: this.says(row) });
    const place = (from, upto, name) => {
      const part = el("i", { class: `${name} ${row.transport}` });
      part.style.left = `${(100 * (from - this.start)) / this.length}%`;
      part.style.width = `${Math.max((100 * (upto - from)) / this.length, 0.2)}%`;
      bar.append(part);
    };
    const answered = row.response_time ?? row.last_time;
    if (row.request_time) place(row.request_time, answered, "waiting");
    if (row.response_time) place(answered, row.last_time, "streaming");
    if (!row.request_time && !row.response_time) place(row.first_time, row.last_time, "other");
    return bar;
  }

  says(row) {
    const at = `begins at ${duration(row.first_time - this.start)}`;
    if (!row.request_time || !row.response_time) return at;
    return `${at}, waits ${duration(row.response_time - row.request_time)}, streams ${duration(row.last_time - row.response_time)}`;
  }
}
