// The connections table: a row for each exchange, as in a browser's Network panel, with a waterfall.

import { el, fill, byId, oncePerFrame } from "./dom.js";
import { bytes, count, duration, number, oneLine, problemOf } from "./format.js";
import { VirtualRows, cell } from "./rows.js";
import { QUIC } from "./lanes.js";
import { parsed } from "./filter.js";
import { Tally } from "./tally.js";
import { Widths } from "./widths.js";
import { chooseExchange, emit, on, state, within } from "./store.js";

const COLUMNS = [
  [
    "id",
    "#",
    "Connection and exchange, q before those of QUIC; ↳ is the same exchange on the next leg",
  ],
  ["outcome", "Verdict", "What wireproof explain says of it, and how it ended"],
  ["method", "Method", "Request method"],
  ["target", "Target", "Request target, and who it was sent to"],
  ["port", "Ports", "Client's port and server's"],
  ["status", "Status", "Response status"],
  ["transport", "Transport", "How the response streams"],
  ["begin", "Start", "Since the capture's first packet"],
  ["first", "First", "From the end of the request to the first element: event, message, chunk"],
  ["last", "Last", "From the end of the request to the last element"],
  [
    "elements",
    "Count",
    "Elements that arrived: events, the server's messages, chunks; comments and the last chunk do not count",
  ],
  ["size", "Size", "Bytes of the body on the wire, framing included"],
  ["ended", "Ended", "How it ended"],
  ["issues", "Rules", "Protocol rules that it breaks"],
  [
    "start",
    "Waterfall",
    "Thin: waiting. Coloured: from the first element to the last. Then thin again until the connection ended. Captures of different times each begin at the left",
  ],
];
/** What a row has in columns that are left out if no row has anything. */
const HOLDS = {
  method: (row) => row.method,
  port: (row) => row.server,
  status: (row) => row.status,
  size: (row) => row.size,
  issues: (row) => row.counts.d,
};
const AGAIN = 1000; // milliseconds at least from one answer on a text to the next question
const SEVERITIES = ["ok", "note", "warning", "error"];
const BAD = /INCOMPLETE|reset/;
const legNumber = (row) => state.wayOf.get(row.key)?.legs.indexOf(row.key) ?? 0;

/** Where a row stands without sorting: in order, the legs of an exchange after each other. */
function placeOf(row) {
  const way = state.wayOf.get(row.key);
  const first = way ? (state.rows.get(way.legs[0]) ?? row) : row;
  return (
    (first.capture * 1e4 + (first.connection ?? -1)) * 1e6 +
    (first.exchange ?? -1) +
    legNumber(row) / 64
  );
}

/** What a row is sorted by. */
const VALUES = {
  id: placeOf,
  outcome: (row) => `${9 - SEVERITIES.indexOf(row.outcome?.severity)}${row.outcome?.word ?? ""}`,
  method: (row) => row.method ?? "",
  target: (row) => row.target ?? "",
  port: (row) => Number(/:(\d+)$/.exec(row.server ?? "")?.[1] ?? 0),
  status: (row) => row.status ?? 0,
  transport: (row) => row.transport,
  begin: (row) => row.first_time,
  first: (row) => row.outcome?.first ?? -1,
  last: (row) => row.outcome?.last ?? row.last_time - row.first_time,
  size: (row) => row.size,
  elements: (row) => elementsOf(row)[0],
  ended: (row) => row.ended ?? "",
  issues: (row) => ["note", "warning", "error"].indexOf(row.severity) * 1e6 + (row.counts.d ?? 0),
  start: (row) => row.first_time,
};

/** How many of what a row streams: as `ls` counts, once it is judged. */
export function elementsOf(row) {
  if (row.outcome) return [row.outcome.count, row.outcome.element];
  const { e, f, m, k, t, x } = row.counts;
  if (e) return [e, "event"];
  if (x) return [x, "element"];
  if (m || f) return [m ?? f, m ? "message" : "frame"];
  if (t && !k) return [t, "run"];
  return [row.chunks || (k ?? 0), "chunk"]; // the last one carries nothing
}

/** Which verdicts and ends the list has, in order. */
function wordsHere() {
  const outcomes = state.order.map((key) => state.rows.get(key)?.outcome);
  const said = outcomes.flatMap((one) => [one?.word, one?.verdict, one?.end]);
  return [...new Set(said)].filter(Boolean).sort();
}

const port = (address) => address?.slice(address.lastIndexOf(":") + 1) ?? "";

export class Connections {
  constructor() {
    this.sorted = { by: "id", sign: 1 };
    this.visible = [];
    this.widths = new Widths(COLUMNS);
    this.empty = new Set(); // columns in which nothing is
    this.shown = new Set(COLUMNS.map(([name]) => name));
    this.layOut = oncePerFrame(() => this.share());
    this.filter = byId("filter", HTMLInputElement);
    this.list = new VirtualRows({
      label: "Connections",
      height: 26,
      className: "conn",
      render: (index) => this.cells(state.rows.get(this.visible[index])),
      choose: (index) => this.choose(index),
    });
    this.heads = COLUMNS.map(([name, title, says]) =>
      el(
        "button",
        { class: `head ${name}`, type: "button", title: says, onclick: () => this.sort(name) },
        title,
      ),
    );
    this.none = el("p", { class: "empty none", role: "status" });
    this.found = new Map(); // in which exchanges a text is, as far as the server has looked
    /** @type {Vocabulary | null} */
    this.vocabulary = null; // by which words verdicts are chosen
    this.tally = new Tally((filter) => this.show(filter));
    fill(
      byId("connections"),
      this.tally.node,
      el("div", { class: "conn heads" }, this.heads),
      this.none,
      this.list.node,
    );
    new ResizeObserver(this.layOut).observe(this.list.node);
    on("ways", () => this.update());
    this.filter.addEventListener("input", () => this.update());
    on("rows", () => this.update());
    on("exchange", () => this.mark(true));
    this.update();
    this.learn();
  }

  /** Get the words by which verdicts are chosen; without them none is refused. */
  async learn() {
    this.vocabulary = await state.source.get("vocabulary").catch(() => null);
    if (this.vocabulary) this.update();
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
    const { tests, texts, amiss } = parsed(this.filter.value, this.vocabulary, wordsHere());
    this.look(texts);
    const keys = state.order.filter((key) => {
      const row = state.rows.get(key);
      return (
        tests.every((test) => test(row)) &&
        texts.every((text) => this.found.get(text)?.keys?.has(key) ?? false)
      );
    });
    this.tally.update(this.filter.value.trim());
    this.amiss = amiss;
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
    const isEmpty = (name) => !keys.some((key) => HOLDS[name](state.rows.get(key)));
    this.empty = new Set(Object.keys(HOLDS).filter(isEmpty));
    this.layOut();
    this.list.resize(keys.length);
    document.documentElement.style.setProperty("--rows", String(keys.length));
    document.documentElement.dataset.tally = this.tally.node.hidden ? "no" : "yes";
    this.mark();
    byId("shown").textContent = this.says(keys.length, texts);
    this.none.hidden = keys.length > 0;
    if (!keys.length) fill(this.none, this.sayNone(this.why(texts)));
    emit("visible");
  }

  /** Share the room among the columns, by what is in them. */
  share() {
    const room = this.list.node.clientWidth;
    if (!room) return;
    const widths = this.widths.share(room, this.empty);
    const template = [...widths.values()].map((width) => `${width}px`).join(" ");
    const columns = `${template} minmax(${this.widths.bar}px, 1fr)`;
    byId("connections").style.setProperty("--columns", columns);
    byId("connections").dataset.brief = this.widths.isBrief ? "yes" : "no";
    this.shown = new Set([...widths.keys(), "start"]);
    this.leaveOut(this.heads);
    for (const row of this.list.shown.values()) this.leaveOut([...row.children]);
  }

  /** Hide what is in columns that have no room. */
  leaveOut(nodes) {
    COLUMNS.forEach(([name], index) => (nodes[index].hidden = !this.shown.has(name)));
  }

  /** Ask the server in which exchanges texts are, and again when more has come. */
  look(texts) {
    const { version } = state.summary;
    for (const text of texts) {
      const known = this.found.get(text);
      if (known?.isAwaited || known?.version === version) continue;
      this.found.set(text, { ...known, isAwaited: true });
      const began = performance.now();
      const hex = [...new TextEncoder().encode(text)]
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
      const asked = state.source.isReport
        ? Promise.reject(new Error("a report is not searched for texts"))
        : state.source.get(`search/${hex}`);
      asked
        .then(
          (keys) => ({ keys: new Set(keys) }),
          (error) => ({ problem: problemOf(error) }),
        )
        .then((answer) => this.keep(text, { ...answer, version }, performance.now() - began));
    }
  }

  /** Keep where a text is. It is not asked for again at once: the server reads everything for it. */
  keep(text, answer, took) {
    this.found.set(text, { ...answer, isAwaited: true });
    this.update();
    const goOn = () => {
      this.found.set(text, answer);
      if (state.summary.version !== answer.version) this.update();
    };
    setTimeout(goOn, Math.max(AGAIN, 4 * took));
  }

  /** Why no row is shown, and what to do about it. */
  sayNone(why) {
    const all = { type: "button", class: "small", onclick: () => this.show("") };
    if (state.order.length)
      return [why ? `${why} ` : "No exchange matches the filter. ", el("button", all, "Show all")];
    const { name, packets, state: stage } = state.summary;
    if (stage === "reading") return "Reading: exchanges are shown as they are found.";
    if (stage === "live") return waitsFor(oneLine(name, 200));
    if (packets) return "This capture has no TCP or QUIC connection.";
    return [
      "This capture has no packets. To record some: ",
      el("code", {}, "wireproof capture --port 8000 -o capture.pcapng"),
    ];
  }

  /** Why the filter does not tell yet, or cannot. @param {string[]} texts */
  why(texts) {
    if (this.amiss.length) return this.amiss.join("; ");
    const found = texts.map((text) => this.found.get(text));
    if (found.some((one) => !one.keys && !one.problem)) return "looking…";
    return found.find((one) => one.problem)?.problem ?? "";
  }

  says(some, texts) {
    if (this.why(texts)) return this.why(texts);
    return some === state.order.length ? "" : `${number(some)} of ${number(state.order.length)}`;
  }

  /**
   * Set what the waterfall's width stands for. Captures of different times each begin at its left:
   * the hours between them would leave a tick of every exchange.
   */
  scale() {
    const spans = new Map(); // of each capture: when it begins and ends
    for (const key of this.visible) {
      const row = state.rows.get(key);
      if (!row.first_packet) continue;
      const [start, end] = spans.get(row.capture) ?? [Infinity, -Infinity];
      spans.set(row.capture, [Math.min(start, row.first_time), Math.max(end, endOf(row))]);
    }
    const shared = overlap([...spans.values()]);
    this.starts = new Map([...spans].map(([capture, [start]]) => [capture, shared?.[0] ?? start]));
    const lengths = shared ? [shared] : [...spans.values()];
    this.length = Math.max(...lengths.map(([start, end]) => end - start), 1e-6);
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
    const { outcome } = row;
    const isStreaming = row.ended === null;
    const quic = row.connection - QUIC;
    const connection = quic >= 0 ? `q${quic}` : row.connection;
    const name =
      row.connection === null ? "file" : `${connection}${row.exchange ? `.${row.exchange}` : ""}`;
    const id = `${legNumber(row) ? "↳ " : ""}${within(row.capture, name)}`;
    const target =
      row.target ??
      row.title ??
      (row.connection === null ? "the capture file" : (row.protocol ?? "connection"));
    const ended = row.ended ?? (state.summary.state === "ended" ? "" : "streaming…");
    const isMore = outcome?.why && !ended.startsWith(outcome.why);
    const time = (seconds) => (seconds === null || seconds === undefined ? "" : duration(seconds));
    const ports = row.server ? `${port(row.client)}→${port(row.server)}` : "";
    const cells = [
      cell("id", id, { title: state.summary.captures[row.capture]?.name }),
      cell("outcome", this.verdict(outcome), {
        title: outcome ? [outcome.verdict, outcome.end].filter(Boolean).join(", ") : "",
      }),
      cell("method", oneLine(row.method ?? "", 20)),
      cell("target", oneLine(target, 300), { title: oneLine(`${row.host ?? ""}${target}`) }),
      cell("port", ports, { title: row.server ? `${row.client} → ${row.server}` : "" }),
      cell(`status s${Math.trunc((row.status ?? 0) / 100)}`, row.status ?? "", {
        title: oneLine(row.reason ?? ""),
      }),
      cell("transport", el("span", { class: `tag ${row.transport}` }, row.transport)),
      cell("begin", duration(row.first_time - state.summary.start)),
      cell("first", time(outcome ? outcome.first : firstOf(row))),
      cell("last", time(outcome ? outcome.last : row.last_time - row.first_time)),
      cell("elements", elements ? number(elements) : "", { title: count(elements, thing) }),
      cell("size", row.size ? bytes(row.size) : ""),
      cell(`ended${BAD.test(ended) ? " bad" : ""}`, ended, {
        title: isMore ? `${ended}\n${outcome.end}: ${oneLine(outcome.why)}` : ended,
      }),
      cell("issues", row.counts.d ? this.issues(row) : ""),
      cell("start", this.bar(row)),
    ];
    this.leaveOut(cells);
    const isBad = BAD.test(ended);
    const grown = COLUMNS.slice(0, -1).map(([column], index) =>
      this.widths.add(column, cells[index].textContent, isBad && column === "ended"),
    );
    if (this.widths.addWord(outcome?.word ?? "") || grown.some(Boolean)) this.layOut();
    const isGoing = isStreaming && state.summary.state === "live";
    return { cells, marks: `${row.severity ?? ""}${isGoing ? " streaming" : ""}` };
  }

  /** The word for what came of it, in its severity's colour; then how it ended. */
  verdict(outcome) {
    if (!outcome?.word) return "";
    const { word, tone, verdict, end } = outcome;
    const more = [verdict, end].filter((one) => one && one !== word).join(", ");
    return [
      el("span", { class: `word tagged ${tone}` }, word),
      el("span", { class: "quiet" }, ` ${more}`),
    ];
  }

  issues(row) {
    return el("span", { class: `count ${row.severity}` }, number(row.counts.d));
  }

  /** The waterfall: waiting, what came from the first element to the last, idle until the end. */
  bar(row) {
    const bar = el("div", { class: "bar", title: this.saysBar(row) });
    const start = this.starts.get(row.capture) ?? row.first_time;
    const place = (from, upto, name) => {
      if (!(upto > from) && name !== "streaming") return;
      const part = el("i", { class: `${name} ${row.outcome?.severity ?? ""}` });
      part.style.left = `${Math.min((100 * (from - start)) / this.length, 99.2)}%`;
      part.style.width = `${Math.max((100 * (upto - from)) / this.length, 0.8)}%`;
      bar.append(part);
    };
    const { from, first, last, end } = phases(row);
    if (first === null) place(from, end, row.request_time ? "waiting" : "other");
    else {
      place(from, first, "waiting");
      place(last, end, "idle");
      place(first, last, "streaming");
    }
    return bar;
  }

  saysBar(row) {
    const { from, first, last, end } = phases(row);
    const at = `begins at ${duration(row.first_time - (this.starts.get(row.capture) ?? row.first_time))}`;
    if (first === null) return at;
    return `${at}, waits ${duration(first - from)}, streams for ${duration(last - first)}, idle for ${duration(end - last)} before the end`;
  }
}

/** What times reach over if each goes on before the ones before it have ended, else null. */
function overlap(spans) {
  const [first, ...rest] = [...spans].sort(([one], [other]) => one - other);
  if (!first) return null;
  let end = first[1];
  for (const [next, last] of rest) {
    if (next > end) return null;
    end = Math.max(end, last);
  }
  return [first[0], end];
}

/** What a recording without packets waits for; of a port, with what to ask there. */
function waitsFor(name) {
  const [, port] = /^port (\d+) on lo0?$/.exec(name) ?? [];
  const asks = port
    ? [", such as those of ", el("code", {}, `curl -N http://127.0.0.1:${port}/`)]
    : null;
  return [`Waiting for packets: ${name}`, asks, "."];
}

/** How long the first element took that has come, while nothing has been judged. */
const firstOf = ({ first_body_time: first, asked_time: asked, request_time: began }) =>
  first && began ? first - (asked ?? began) : null;

/** When an exchange ended: with its last byte, or with its connection if nothing came after it. */
export function endOf(row) {
  const last = row.ends?.length ? Math.max(...row.ends.map((end) => end.time)) : 0;
  return isLast(row) ? Math.max(row.last_time, last) : row.last_time;
}

function isLast(row) {
  return !state.rows.has(within(row.capture, `${row.connection}.${(row.exchange ?? 0) + 1}`));
}

/** The moments that a waterfall shows; `first` is null if nothing has come. */
function phases(row) {
  const from = row.request_time ?? row.first_time;
  const asked = row.asked_time ?? from;
  const { outcome } = row;
  const end = endOf(row);
  if (outcome) {
    if (outcome.last === null) return { from, first: null, last: null, end };
    const last = asked + outcome.last;
    // What came before it may be missing: then the first that was recorded stands for it.
    const first = outcome.first === null ? (row.first_body_time ?? last) : asked + outcome.first;
    return { from, first, last, end };
  }
  const first = row.first_body_time ?? null;
  return { from, first, last: first === null ? null : row.last_time, end };
}
