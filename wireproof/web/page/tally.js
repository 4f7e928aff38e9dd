// How many exchanges there are by what is said of them, above the list; each is a filter.

import { el, fill } from "./dom.js";
import { number } from "./format.js";
import { state } from "./store.js";

const SEVERITIES = ["error", "warning", "note", "ok"];

export class Tally {
  /**
   * `choose` is called with the filter that a button stands for.
   * @param {(filter: string) => void} choose
   */
  constructor(choose) {
    this.choose = choose;
    this.node = el("div", { class: "tally", role: "group", "aria-label": "Exchanges by verdict" });
  }

  /** Count; `filter` is the one that is on. @param {string} filter */
  update(filter) {
    const counts = new Map();
    for (const key of state.order) {
      const outcome = state.rows.get(key)?.outcome;
      if (!outcome?.word) continue;
      const known = counts.get(outcome.word) ?? { severity: outcome.tone, some: 0 };
      known.some += 1;
      if (SEVERITIES.indexOf(outcome.tone) < SEVERITIES.indexOf(known.severity))
        known.severity = outcome.tone;
      counts.set(outcome.word, known);
    }
    const words = [...counts].sort(
      ([, one], [, other]) =>
        SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
        other.some - one.some,
    );
    this.node.hidden = state.order.length < 2;
    fill(
      this.node,
      this.button("all", "", state.order.length, filter, ""),
      words.map(([word, { severity, some }]) =>
        this.button(word, `verdict:${word}`, some, filter, severity),
      ),
    );
  }

  /**
   * @param {string} word @param {string} means @param {number} some @param {string} filter
   * @param {string} severity
   */
  button(word, means, some, filter, severity) {
    const facts = {
      type: "button",
      class: "small",
      "aria-pressed": String(filter === means),
      onclick: () => this.choose(filter === means ? "" : means),
    };
    return el(
      "button",
      facts,
      el("span", { class: `word ${severity}` }, word),
      " ",
      el("span", { class: "some" }, number(some)),
    );
  }
}
