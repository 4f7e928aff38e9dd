// The answer: what is said of the chosen exchange, in a sentence, with why, what to do and what would
// tell. The server says it, in the words of `wireproof explain` and `wireproof hops`; nothing is
// judged here. The packets that it rests on are marked wherever they are shown.

import { el, fill, byId } from "./dom.js";
import { number, oneLine, problemOf } from "./format.js";
import { comparison } from "./compare.js";
import { choosePacket, currentRow, emit, on, outlineOf, state } from "./store.js";

const REMEDY = " → "; // between a cause and what to do about it
const CODE = /`([^`]+)`/g;
const PACKETS = /\b(packets? )(\d+)(?:(-| to | and )(\d+)(?![\d.]))?/g;
const FOLDED = new Set(["seen", "see", "changed"]);
const SHOWN = 24; // packets that have a button of their own
const SAYS = {
  cause: "Why: packets prove it",
  either: "One of these: packets captured here do not show which",
  or: "One of these: packets captured here do not show which",
  do: "What to do about it",
  "to tell": "What would tell the causes apart",
  seen: "What the answer rests on",
  see: "The rule that says how it should be",
  changed: "What else differs between the two sides of the hop",
};
const CAUSES = { cause: true, either: true, or: true }; // labels of lines that name one
const QUESTIONS = {
  streaming: "Did it stream?",
  ending: "Who ended it, and was it whole?",
  gap: "Where did the time go?",
  resume: "Did it resume where it had stopped?",
  disconnect: "What was sent after the client had left?",
  websocket: "How did the WebSocket fare?",
  sizes: "What do the sizes of its records give away?",
  hop: "Which hop changed it?",
  hazard: "Which clients would stumble?",
  capture: "What of it is not in the capture?",
};

export class Answer {
  constructor() {
    this.host = byId("answer");
    this.isFolded = true;
    on("exchange", () => this.open());
    on("ways", () => this.open());
    on("grown", () => this.open());
    on("compare", () => this.open());
    this.open();
  }

  /** Get what is said of the exchange, and of the hops that it passed. */
  async open() {
    const row = currentRow();
    const asked = (this.asked = (this.asked ?? 0) + 1);
    if (this.key !== row?.key) {
      this.isOwnChoice = false; // whether somebody asked for another answer than the first
      state.verdicts = [];
      state.holes = [];
      state.cited = new Set();
      this.chosen = null;
    }
    this.key = row?.key;
    if (!row || (row.exchange === null && !row.outcome)) return fill(this.host);
    if (row.outlined) return this.outline(row);
    let said;
    let passed = null;
    let beside = null; // what it is compared with
    try {
      said = await state.source.get(`verdicts/${row.key}`);
      const way = state.wayOf.get(row.key);
      beside = await comparison(row);
      if (way) passed = await state.source.get(`hop/${way.number}`);
    } catch (error) {
      if (asked === this.asked)
        fill(this.host, el("p", { class: "quiet" }, `${problemOf(error)}.`));
      return undefined;
    }
    if (asked !== this.asked) return undefined;
    state.way = beside ?? passed;
    state.verdicts = said.verdicts;
    state.holes = said.holes;
    this.fine = said.fine;
    this.hops = (passed?.hops ?? []).map((hop) => ({
      ...hop,
      summary: oneLine(hop.record.summary),
    }));
    this.show((this.isOwnChoice && this.again()) || this.leading(said));
    emit("verdicts");
    return undefined;
  }

  /** What the row says, and why the page has no more. @param {Row} row */
  outline(row) {
    const { outcome, ended } = row;
    const said = outcome?.why ?? ended;
    fill(
      this.host,
      el(
        "p",
        { class: "sentence" },
        tag(outcome?.word ?? "", outcome?.tone ?? "ok"),
        said ? el("b", {}, ` ${oneLine(said)}`) : null,
      ),
      el("p", { class: "quiet outlined" }, outlineOf(row)),
    );
  }

  /** A hop at fault says more than what the near leg looks like; else the server's choice. */
  leading(said) {
    const hop = this.hops.find((one) => one.record.is_fault);
    return hop ?? said.verdicts[said.lead] ?? null;
  }

  /** What is said now to the question that was chosen. */
  again() {
    const { question } = this.chosen.record;
    return [...this.hops, ...state.verdicts].find(({ record }) => record.question === question);
  }

  /** Show one of what is said, and mark the packets that it cites. */
  show(chosen) {
    const all = [...this.hops, ...state.verdicts];
    const record = chosen?.record;
    this.chosen = chosen;
    state.cited = new Set(
      record && (record.severity !== "ok" || this.isOwnChoice) ? record.packets : [],
    );
    fill(
      this.host,
      el("div", { class: "said-head" }, this.sentence(record), this.others(all, chosen)),
      record && record.severity !== "ok" ? this.details(chosen) : null,
      this.sealed(),
    );
    emit("cited");
  }

  /** Why a TLS connection is not read, and what reads it. */
  sealed() {
    const row = currentRow();
    if (row?.exchange !== null || row.tls?.decrypted !== "no") return null;
    const code = (text) => el("code", {}, text);
    if (["headers", "all"].includes(state.summary.policy)) {
      const why = "A page that masks secrets does not decrypt TLS: ";
      return el(
        "p",
        { class: "quiet unread" },
        why,
        code("--no-redact"),
        " shows what it carries.",
      );
    }
    return el(
      "p",
      { class: "quiet unread" },
      `It is encrypted and was not decrypted: ${oneLine(row.tls.reason ?? "no keys", 300)}. Give its keys with `,
      code("--keylog FILE"),
      ", or record with ",
      code("wireproof capture -o FILE -- COMMAND"),
      ", which keeps the keys of COMMAND in the file.",
    );
  }

  /** The answer in a sentence; what is but worth a note does not stand in its place. */
  sentence(record) {
    const { word = "", tone = "ok" } = currentRow()?.outcome ?? {};
    if (!record && !this.fine)
      return el("p", { class: "quiet" }, "Not judged yet: it is still open.");
    const isFault = record && ["warning", "error"].includes(record.severity);
    const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
    if (isFault || this.isOwnChoice) {
      return el(
        "p",
        { class: "sentence" },
        tag(record.answer, this.chosen.tone),
        el("b", {}, " ", linked(capital(record.summary))),
      );
    }
    const rest = this.fine.startsWith(word)
      ? this.fine.slice(word.length).replace(/^[,:] /, "")
      : this.fine.replace(`, ${word}:`, ":"); // said already, in colour
    const note =
      record?.severity === "note"
        ? [" ", el("span", { class: "quiet" }, linked(`${capital(record.summary)}.`))]
        : null;
    return el(
      "p",
      { class: "sentence" },
      tag(word, tone),
      el("b", {}, ` ${oneLine(rest)}`, note ? "." : ""),
      note,
    );
  }

  /** What else is said: a button for each question. */
  others(all, chosen) {
    if (all.length < 2) return null;
    const buttons = all.map((one) =>
      el(
        "button",
        {
          type: "button",
          class: "small question",
          title: `${QUESTIONS[one.record.question]} ${oneLine(one.record.summary, 300)}`,
          "aria-pressed": String(one.record === chosen?.record),
          onclick: () => {
            this.isOwnChoice = true;
            this.show(one);
          },
        },
        `${one.record.question} `,
        el("span", { class: `word ${one.tone}` }, one.record.answer),
      ),
    );
    return el("div", { class: "questions", role: "group", "aria-label": "Questions" }, buttons);
  }

  details(chosen) {
    const changed = (chosen.changes ?? []).map(([, text]) => ["changed", text]);
    const seen = new Set(changed.map(([, text]) => text));
    const lines = [...chosen.details.filter(([, text]) => !seen.has(text)), ...changed];
    const open = lines.filter(([label]) => !FOLDED.has(label));
    const folded = lines.filter(([label]) => FOLDED.has(label));
    const list = (some) =>
      el(
        "dl",
        { class: "why" },
        some.map(([label, text]) => [
          el("dt", { title: SAYS[label] }, label),
          el("dd", {}, label in CAUSES ? caused(text) : linked(text)),
        ]),
      );
    const more = el(
      "details",
      { class: "rests" },
      el("summary", {}, "What it rests on"),
      list(folded),
    );
    more.open = !this.isFolded;
    more.addEventListener("toggle", () => (this.isFolded = !more.open));
    return [list(open), folded.length ? more : null, this.packets(chosen.record)];
  }

  /** The packets that it cites. */
  packets(record) {
    const { packets } = record;
    if (!packets.length) return null;
    const capture = currentRow()?.capture ?? 0;
    const buttons = packets
      .slice(0, SHOWN)
      .map((packet) => packetButton(packet, capture, String(packet)));
    const more =
      packets.length > SHOWN
        ? el("span", { class: "quiet" }, `and ${number(packets.length - SHOWN)} more`)
        : null;
    return el(
      "p",
      { class: "cites" },
      el("span", { class: "quiet" }, packets.length === 1 ? "Packet" : "Packets"),
      buttons,
      more,
    );
  }
}

/** The word for an answer, in its tone: the colour of a severity. */
export function tag(word, tone) {
  return word ? el("span", { class: `word tagged ${tone}` }, word) : null;
}

function packetButton(packet, capture, text, inline = false) {
  return el(
    "button",
    {
      type: "button",
      class: inline ? "small cite inline" : "small cite",
      title: "Show its bytes",
      onclick: () => choosePacket(Number(packet), capture),
    },
    text,
  );
}

/** A cause by its name, what points to it, and on a line of its own what to do about it. */
function caused(text) {
  const [why, remedy] = text.split(REMEDY, 2);
  const [, name, rest] = /^([a-z0-9-]+)((?:: | \(|$)[^]*)$/.exec(why) ?? [null, "", why];
  return [
    name ? el("b", { class: "cause" }, name) : null,
    linked(rest),
    remedy ? el("span", { class: "remedy" }, "→ ", linked(remedy)) : null,
  ];
}

/** Text in which packets can be clicked, and what stands between backticks is code. */
function linked(text) {
  const parts = [];
  let at = 0;
  for (const { 0: whole, 1: code, index } of text.matchAll(CODE)) {
    parts.push(cited(text.slice(at, index)), el("code", {}, oneLine(code, 400)));
    at = index + whole.length;
  }
  return [...parts, cited(text.slice(at))];
}

function cited(text) {
  const capture = currentRow()?.capture ?? 0;
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(PACKETS)) {
    const [whole, word, first, between, last] = found;
    parts.push(text.slice(at, found.index), word, packetButton(first, capture, first, true));
    if (last) parts.push(between, packetButton(last, capture, last, true));
    at = found.index + whole.length;
  }
  parts.push(text.slice(at));
  return parts.map((part) => (typeof part === "string" ? oneLine(part, 4000) : part));
}
