// What the reader had seen: the content of the stream as it grew, put together from what its elements
// say, with a scrubber that runs along the timeline. Tool calls are assembled; what was asked stands
// beside it.

import { el, fill, byId, oncePerFrame, oneAtATime } from "./dom.js";
import { asText, count, duration, number, prettyJson } from "./format.js";
import { chooseElement, currentRow, emit, on, state } from "./store.js";

const STEPS = 1000; // of the scrubber
const MOST_NODES = 4000; // pieces of one text that can be told apart
const THINGS = { e: "event", m: "message", x: "element", t: "run", k: "chunk" };
const TITLES = { text: "Answer", reasoning: "Reasoning", tool: "Tool call", data: "Data" };

export class Reader {
  constructor() {
    this.side = byId("reader");
    this.scrubber = byId("scrubber", HTMLInputElement);
    this.said = byId("scrubbed");
    this.pieces = [];
    this.load = oneAtATime(() => this.read());
    on("exchange", () => this.open());
    on("grown", () => this.load());
    on("moment", () => this.cut());
    this.scrubber.addEventListener(
      "input",
      oncePerFrame(() => this.scrub()),
    );
    this.open();
  }

  open() {
    this.parts = []; // as they were asked for, each from the row on that the one before it names
    this.pieces = state.read = [];
    state.moment = null;
    this.scrubber.value = String(STEPS);
    fill(this.side);
    this.show();
    this.load();
  }

  /** Get what there is now: the last part that is shown may have grown. */
  async read() {
    const last = Math.max(this.parts.length - 1, 0);
    return this.take(last, last ? this.parts[last - 1].next : 0);
  }

  /** Get a part, and show it after those before it. */
  async take(place, start) {
    const row = currentRow();
    if (!row || row.exchange === null) return;
    const parts = this.parts;
    const answer = await state.source.get(`reading/${row.key}/${start}`).catch(() => null);
    if (!answer || parts !== this.parts) return; // another one has been chosen meanwhile
    this.row = row;
    parts[place] = answer;
    this.pieces = state.read = parts.flatMap((part) => part.pieces);
    this.draw();
    this.show();
    emit("read");
  }

  /** Show the next part; who asked by keyboard can ask again, or goes on in the text. */
  async more() {
    await this.take(this.parts.length, this.next);
    const texts = this.side.querySelectorAll("pre");
    (this.button ?? texts[texts.length - 1])?.focus({ preventScroll: true });
  }

  /** The row from which the next part is; null if all is shown. */
  get next() {
    return this.parts[this.parts.length - 1]?.next ?? null;
  }

  /** What follows what is shown. */
  rest() {
    this.button = null;
    if (this.next === null) return null;
    const shown = `${count(this.pieces.length, "piece")} shown`;
    if (state.source.isReport)
      return el("p", { class: "quiet" }, `… ${shown}: a report has the rest in its rows alone`);
    this.button = el(
      "button",
      { type: "button", class: "small", onclick: () => this.more() },
      "Show more",
    );
    return el("p", { class: "rest" }, el("span", { class: "quiet" }, `… ${shown} `), this.button);
  }

  /** Show the pane if it has something to say. */
  show() {
    const { dataset } = document.documentElement;
    dataset.reads = this.pieces.length ? "yes" : "no";
    this.scrubber.parentElement.hidden = !this.pieces.length;
  }

  draw() {
    const groups = grouped(this.pieces);
    this.nodes = [];
    let size = 0;
    this.sizes = this.pieces.map((piece) => (size += characters(piece[4]))); // of all up to each
    const step = Math.max(Math.ceil(this.pieces.length / MOST_NODES), 1);
    const { scrollTop } = this.side;
    const asks = this.button && document.activeElement === this.button;
    fill(
      this.side,
      el(
        "div",
        { class: "reader-head" },
        el("h2", {}, "What the reader had seen"),
        (this.facts = el("span", { class: "quiet" })),
      ),
      this.request(),
      groups.map((group) => this.group(group, step)),
      this.rest(),
    );
    this.side.scrollTop = scrollTop;
    if (asks) this.button?.focus({ preventScroll: true });
    this.nodes.sort(([one], [other]) => one - other);
    this.come = this.nodes.length;
    this.cut();
  }

  /** What was asked: the body of the request, if it has one. */
  request() {
    const row = this.row;
    if (!row.method || row.method === "GET" || row.method === "HEAD" || !row.counts.b) return null;
    const text = el("pre", { tabindex: "0", "aria-label": "Request body" });
    const node = el("details", { class: "asked" }, el("summary", {}, "Request body"), text);
    node.addEventListener("toggle", async () => {
      if (!node.open || text.textContent) return;
      const answer = await state.source
        .get(`body/${row.key}/client`)
        .catch((error) => ({ pieces: [[0, 0, error.message, 0]] }));
      const whole = answer.pieces.map(([, , piece]) => piece).join("");
      fill(text, asText(prettyJson(whole) ?? whole) || "it has none");
    });
    node.open = document.documentElement.clientWidth > 860;
    return node;
  }

  /** One run of content of a kind: the text of an answer, one tool call. */
  group({ kind, name, pieces }, step) {
    const text = el("pre", {
      class: `grown ${kind}`,
      tabindex: "0",
      "aria-label": TITLES[kind] ?? kind,
    });
    for (let index = 0; index < pieces.length; index += step) {
      const some = pieces.slice(index, index + step);
      const [time, packet, row] = some[0];
      const title = `${duration(time - this.row.first_time)}, packet ${packet}`;
      const node = el(
        "span",
        {
          class: "piece",
          title,
          onclick: () => chooseElement(this.row.key, this.parts[0].elements, row),
        },
        asText(some.map((piece) => piece[4]).join("")),
      );
      this.nodes.push([time, node]);
      text.append(node);
    }
    const pretty = kind === "tool" ? prettyJson(pieces.map((piece) => piece[4]).join("")) : null;
    const whole = pretty
      ? el(
          "pre",
          { class: "assembled", "aria-label": "Arguments, assembled", tabindex: "0" },
          asText(pretty),
        )
      : null;
    if (whole) this.nodes.push([pieces[pieces.length - 1][0], whole]);
    return el(
      "section",
      { class: "group" },
      el("h3", {}, TITLES[kind] ?? kind, name ? el("code", {}, name) : null),
      text,
      whole,
    );
  }

  /** The scrubber has moved: its whole way is the exchange's time. */
  scrub() {
    const part = Number(this.scrubber.value) / STEPS;
    const { first_time: from } = this.row;
    const upto = state.end ?? this.row.last_time;
    state.moment = part >= 1 ? null : from + (upto - from) * part;
    emit("moment");
  }

  /** Take back what had not come at the moment. */
  cut() {
    if (!this.pieces.length || !this.nodes) return;
    const moment = state.moment ?? Infinity;
    const [before, after] = [this.come, upto(this.nodes, moment)];
    for (let at = Math.min(before, after); at < Math.max(before, after); at += 1)
      this.nodes[at][1].classList.toggle("not-yet", at >= after);
    this.come = after;
    const come = upto(this.pieces, moment);
    const size = come ? this.sizes[come - 1] : 0;
    const isGoing = this.row.ended === null && state.summary.state === "live";
    const last = isGoing ? "So far" : "At the end";
    const when = state.moment === null ? last : `At ${duration(moment - this.row.first_time)}`;
    const thing = this.pieces[0][3] === "data" ? THINGS[this.parts[0].elements] : "delta";
    const all = `${this.next !== null ? "the first " : ""}${count(this.pieces.length, thing)}`;
    const seen = when === "So far" ? "has seen" : "had seen";
    const text = `${when} the reader ${seen} ${number(come)} of ${all}, ${count(size, "character")}`;
    this.said.textContent = text;
    this.scrubber.parentElement.dataset.moved = state.moment === null ? "no" : "yes";
    this.scrubber.setAttribute("aria-valuetext", text);
    this.facts.textContent = rate(this.pieces, thing);
  }
}

/** How many of what is in order of time had come at a moment. */
function upto(pieces, moment) {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pieces[middle][0] <= moment + 1e-7) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many characters a text has; an astral one is one. */
const characters = (text) => (/[\ud800-\udbff]/.test(text) ? [...text].length : text.length);

/** How fast content came, and how many tokens the stream counted. */
export function rate(pieces, thing) {
  if (pieces.length < 2) return count(pieces.length, thing);
  const seconds = pieces[pieces.length - 1][0] - pieces[0][0];
  const speed =
    seconds > 0 ? `, ${((pieces.length - 1) / seconds).toFixed(1)} a second` : ", all at once";
  const tokens = pieces.reduce((last, piece) => piece[7] ?? last, null);
  return `${count(pieces.length, thing)}${speed}${tokens === null ? "" : `, ${count(tokens, "token")} by the stream's own count`}`;
}

/** Pieces that belong together, in order of their beginnings: a tool call's are of one name and ID. */
function grouped(pieces) {
  const groups = new Map();
  for (const piece of pieces) {
    const [, , , kind, , name, id] = piece;
    const own = kind === "tool" ? `${kind} ${name} ${id}` : kind;
    if (!groups.has(own)) groups.set(own, { kind, name: kind === "tool" ? name : "", pieces: [] });
    groups.get(own).pieces.push(piece);
  }
  return [...groups.values()];
}
