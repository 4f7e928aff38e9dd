// How wide the columns of the list are: each as what is in it, as far as there is room. What nothing
// is in takes none. Where room is short, what matters least is left out before anything is cut, and
// what is left shares it.

const PADDING = 16; // pixels of a cell, left and right together
const MORE = { outcome: 18, transport: 16, issues: 14 }; // of what stands in a frame of its own
const MOST = { outcome: 280, target: 420, ended: 420 }; // from where on a text may be cut
const GOOD = { outcome: 200, target: 250, ended: 420 }; // for which other columns are left out
const LEAST = { outcome: 96, target: 60, ended: 60 };
const SORTED = 12; // pixels of the arrow in a head
const BAR = 110; // pixels of the waterfall, as what is left out makes room for
/** What is left out where room is short, first what matters least. */
const ORDER = [
  "transport",
  "begin",
  "size",
  "method",
  "port",
  "ended",
  "elements",
  "status",
  "first",
  "issues",
];

export class Widths {
  /** `columns` are the names and titles, in their order; the last one is the waterfall. */
  constructor(columns) {
    this.columns = columns;
    this.pen = document.createElement("canvas").getContext("2d");
    const { fontSize, fontFamily } = getComputedStyle(document.body);
    const mono = getComputedStyle(document.documentElement).getPropertyValue("--mono");
    this.font = `${fontSize} ${fontFamily}`;
    this.bold = `600 ${this.font}`;
    this.fonts = { target: `${fontSize} ${mono}`, outcome: this.bold, issues: this.bold };
    this.wanted = new Map(columns.map(([name]) => [name, 0]));
    this.word = 0; // of the verdicts without what stands beside them
    this.bar = this.measure(columns[columns.length - 1][1]) + SORTED; // the waterfall, at least
  }

  /** Take note of a verdict's word: where room is short, it stands alone. @param {string} word */
  addWord(word) {
    const found = this.measure(word, this.bold) + MORE.outcome;
    const isWider = found > this.word;
    this.word = Math.max(this.word, found);
    return isWider;
  }

  /** Take note of a cell: columns grow with what is in them, and never shrink. */
  add(name, text, isBold = false) {
    const found = this.measure(text, isBold ? this.bold : this.fonts[name]) + (MORE[name] ?? 0);
    if (text && found > this.wanted.get(name)) {
      this.wanted.set(name, found);
      return true;
    }
    return false;
  }

  measure(text, font = this.font) {
    if (this.pen) this.pen.font = font;
    return Math.ceil(this.pen?.measureText(text).width ?? 7 * text.length) + PADDING;
  }

  /**
   * The width of each column that has any, the waterfall's left out; `empty` are those without.
   * Verdicts that would be cut are brief: a word each, and no more.
   */
  share(room, empty) {
    const whole = this.shared(room, empty, this.wanted.get("outcome"));
    this.isBrief = whole.get("outcome") < Math.min(this.wanted.get("outcome"), GOOD.outcome);
    return this.isBrief ? this.shared(room, empty, this.word) : whole;
  }

  shared(room, empty, outcome) {
    const found = new Map();
    for (const [name, title] of this.columns.slice(0, -1)) {
      if (empty.has(name)) continue;
      const own = name === "outcome" ? outcome : this.wanted.get(name);
      const wanted = Math.max(own, this.measure(title) + SORTED);
      found.set(name, Math.min(wanted, MOST[name] ?? wanted));
    }
    const needs = () =>
      [...found].reduce((sum, [name, width]) => sum + Math.min(width, GOOD[name] ?? width), 0);
    const fits = () => needs() + BAR <= room;
    const all = new Map(found);
    for (const name of ORDER) {
      if (fits()) break;
      found.delete(name);
    }
    // Beside a wide one that was left out there may be room for a narrow one.
    for (const name of [...ORDER].reverse()) {
      if (found.has(name) || !all.has(name) || !fits()) continue;
      found.set(name, all.get(name));
      if (!fits()) found.delete(name);
    }
    const shown = [...all].filter(([name]) => found.has(name));
    const left = room - (fits() ? BAR : this.bar);
    return shrunk(shrunk(new Map(shown), left, GOOD), left, LEAST);
  }
}

/** What does not fit is taken from the texts, from each by what it has above the least. */
function shrunk(widths, room, least) {
  const over = [...widths.values()].reduce((sum, width) => sum + width, 0) - room;
  if (over <= 0) return widths;
  const spare = (name, width) => Math.max(width - (least[name] ?? width), 0);
  const all = [...widths].reduce((sum, [name, width]) => sum + spare(name, width), 0);
  const part = all ? Math.min(over / all, 1) : 0;
  return new Map(
    [...widths].map(([name, width]) => [name, Math.floor(width - part * spare(name, width))]),
  );
}
