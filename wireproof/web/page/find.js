// Looking for a text in the chosen exchange: the server looks through heads, elements and packets, or
// seek.js through those of a report; the places are marked in tables and on the timeline, and one steps from each to the next.

import { byId, el, fill } from "./dom.js";
import { number, problemOf } from "./format.js";
import { seek } from "./seek.js";
import { chooseElement, choosePacket, currentRow, emit, on, state } from "./store.js";

/** The order in which places are stepped through: what people read first. */
const KINDS = ["e", "x", "m", "f", "k", "t", "q", "r", "d", "p"];

export class Find {
  constructor() {
    this.places = [];
    this.at = -1;
    this.input = el("input", {
      type: "search",
      placeholder: "Text, or 0x1f8b",
      "aria-label": "Find in events, heads and bytes",
      spellcheck: "false",
      autocomplete: "off",
    });
    this.said = el("span", { class: "quiet", role: "status" });
    const button = (text, says, work) =>
      el(
        "button",
        { type: "button", class: "small", title: says, "aria-label": says, onclick: work },
        text,
      );
    this.node = byId("find");
    fill(
      this.node,
      this.input,
      button("↑", "The previous place (Shift Enter)", () => this.step(-1)),
      button("↓", "The next place (Enter)", () => this.step(1)),
      this.said,
      button("✕", "Find nothing (Escape)", () => this.close()),
    );
    this.input.addEventListener("input", () => this.wait());
    this.input.addEventListener("keydown", (event) => this.key(event));
    on("exchange", () => !this.node.hidden && this.look());
  }

  open() {
    this.node.hidden = false;
    this.input.focus();
    this.input.select();
  }

  close() {
    this.node.hidden = true;
    this.input.value = "";
    this.look();
    /** @type {HTMLElement?} */ (byId("panel").querySelector("[tabindex='0']"))?.focus();
  }

  key(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.close();
    else if (this.looked !== this.input.value) this.look();
    else this.step(event.shiftKey ? -1 : 1);
  }

  /** Look when nothing more is typed for a moment. */
  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), 200);
  }

  async look() {
    clearTimeout(this.timer);
    const text = this.input.value;
    const asked = (this.asked = (this.asked ?? 0) + 1);
    this.looked = text;
    let answer = { found: {}, total: 0 };
    this.problem = null;
    if (text && currentRow()) {
      this.said.textContent = "looking…";
      try {
        answer = await this.answerTo(text, () => asked === this.asked);
      } catch (error) {
        if (asked === this.asked) this.problem = problemOf(error);
      }
    }
    if (asked !== this.asked) return;
    state.found = new Map(
      Object.entries(answer.found).map(([kind, rows]) => [kind, new Set(rows)]),
    );
    this.places = KINDS.flatMap((kind) => (answer.found[kind] ?? []).map((row) => [kind, row]));
    this.total = answer.total;
    this.at = -1;
    this.say();
    emit("cited");
  }

  /** Ask the server, or look through what a report holds. */
  answerTo(text, goesOn) {
    if (state.source.isReport) return seek(currentRow(), text, goesOn);
    const hex = [...new TextEncoder().encode(text).slice(0, 512)]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    return state.source.get(`find/${state.current}/${hex}`);
  }

  step(by) {
    if (!this.places.length) return;
    this.at =
      (this.at + by + this.places.length + (this.at < 0 && by < 0 ? 1 : 0)) % this.places.length;
    const [kind, place] = this.places[this.at];
    if (kind === "p") choosePacket(place);
    else chooseElement(state.current, kind, place);
    this.say();
    this.input.focus();
  }

  say() {
    if (this.problem) {
      this.said.textContent = this.problem;
      return;
    }
    const where = this.at < 0 ? "" : `${number(this.at + 1)} of `;
    this.said.textContent = this.looked
      ? `${where}${number(this.total)} ${this.total === 1 ? "place" : "places"}`
      : "";
  }
}
