// The streams of an HTTP/2 connection: who asked for what, what came of it, who ended each and what
// held it. A click looks at the exchange.

import { el } from "./dom.js";
import { bytes, count, duration, oneLine } from "./format.js";
import { VirtualRows, cell } from "./rows.js";
import { chooseExchange, state, wireOf } from "./store.js";

const COLUMNS = [
  ["number", "Stream", "The stream's number; odd ones began at the client"],
  ["type", "Method", "Request method"],
  ["data", "Target", "Request target"],
  ["outcome", "Verdict", "What wireproof explain says of it"],
  ["ended", "End", "What ended it, and who sent that"],
  ["size", "Size", "Bytes of the body on the wire, framing included"],
  ["gap", "Stalled", "How long flow control blocked the server, in this stream or in all"],
];

export class StreamList {
  /** @param {Row} row */
  constructor(row) {
    this.key = wireOf(row);
    /** @type {any[]} */
    this.streams = [];
    this.list = new VirtualRows({
      label: "Streams of the connection",
      height: 24,
      className: "table streams",
      render: (index) => this.cells(this.streams[index]),
      choose: (index) => chooseExchange(this.streams[index].key),
    });
    const heads = COLUMNS.map(([name, title, says]) =>
      el("div", { class: `head ${name}`, title: says }, title),
    );
    this.node = el(
      "div",
      { class: "panel-table" },
      el("div", { class: "table heads streams" }, heads),
      this.list.node,
    );
  }

  async update() {
    const size = state.summary.pages.streams;
    const found = [];
    for (let page = 0, total = 1; page * size < total; page += 1) {
      const answer = await state.source.get(`streams/${this.key}/${page}`);
      total = answer.total;
      found.push(...answer.streams);
    }
    this.streams = found;
    this.list.resize(found.length);
    this.mark();
  }

  mark() {
    this.list.select(
      this.streams.findIndex((one) => one.key === state.current),
      false,
    );
  }

  /** @param {any} one */
  cells(one) {
    const { end } = one;
    const who = end?.sender ? ` by the ${end.sender}` : "";
    const said = end ? `${end.by}${end.code ? ` ${end.code}` : ""}${who}` : "";
    const verdict = one.word ? el("span", { class: `word tagged ${one.tone}` }, one.word) : "";
    const cells = [
      cell("number", String(one.stream)),
      cell("type", oneLine(one.method ?? "", 20)),
      cell("data", oneLine(one.target ?? "", 300), { title: oneLine(one.target ?? "") }),
      cell("outcome", verdict),
      cell(`ended${end?.by === "RST_STREAM" || end?.by === "GOAWAY" ? " bad" : ""}`, said, {
        title: end ? `packet ${end.packet}` : "",
      }),
      cell("size", bytes(one.size)),
      cell(`gap${one.stalls ? " warn" : ""}`, one.stalls ? duration(one.stalled) : "", {
        title: one.stalls ? count(one.stalls, "time") : "",
      }),
    ];
    return { cells, marks: "" };
  }
}
