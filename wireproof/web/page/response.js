// A body as it grew: the text that each packet brought, and a slider that takes back what had not
// yet come at a moment.

import { el, fill, oncePerFrame } from "./dom.js";
import { asText, bytes, count, duration } from "./format.js";
import { jsonOf, jsonTree } from "./json.js";
import { choosePacket, state } from "./store.js";

const MOST_PIECES = 3000; // nodes of one text; more are joined, several packets each

export class BodyPanel {
  constructor(key, sender, start) {
    this.key = key;
    this.sender = sender;
    this.start = start;
    this.text = el("pre", { class: "grown", tabindex: "0", "aria-label": "Text of the body" });
    this.said = el("span", { class: "quiet" });
    this.slider = el("input", {
      type: "range",
      min: "0",
      max: "1000",
      value: "1000",
      "aria-label": "Show the text as it was at this time",
    });
    this.slider.addEventListener(
      "input",
      oncePerFrame(() => this.cut()),
    );
    this.pretty = el(
      "button",
      { type: "button", class: "small", "aria-pressed": "false", hidden: true },
      "Pretty",
    );
    this.pretty.addEventListener("click", () => this.show(!this.isPretty));
    this.node = el(
      "div",
      { class: "body-panel" },
      el("div", { class: "strip" }, this.slider, this.said, this.pretty),
      this.text,
    );
  }

  async update() {
    const answer = await state.source.get(`body/${this.key}/${this.sender}`);
    this.answer = answer;
    this.pieces = answer.pieces.filter(([, , , size]) => size);
    this.slider.hidden = this.pieces.length < 2;
    const whole = this.pieces.map(([, , text]) => text).join("");
    this.laidOut = answer.more ? undefined : jsonOf(whole);
    this.pretty.hidden = !this.laidOut;
    this.show(Boolean(this.laidOut));
  }

  show(isPretty) {
    this.isPretty = isPretty;
    this.pretty.setAttribute("aria-pressed", String(isPretty));
    if (isPretty) {
      this.parts = [];
      fill(this.text, jsonTree(this.laidOut));
      return this.say(this.pieces.length);
    }
    const step = Math.max(Math.ceil(this.pieces.length / MOST_PIECES), 1);
    this.parts = [];
    for (let index = 0; index < this.pieces.length; index += step)
      this.parts.push(this.part(index, step));
    if (!this.parts.length) fill(this.text, el("span", { class: "quiet" }, "nothing has arrived"));
    else
      fill(
        this.text,
        this.parts.map(([, node]) => node),
        this.more(),
      );
    return this.cut();
  }

  part(index, step) {
    const some = this.pieces.slice(index, index + step);
    const [time, packet] = some[0];
    const text = asText(some.map(([, , piece]) => piece).join(""));
    const title = `packet ${packet}, at ${duration(time - this.start)}`;
    const node = el("span", { class: "piece", title, onclick: () => choosePacket(packet) }, text);
    return [time, node];
  }

  more() {
    return this.answer.more
      ? el("span", { class: "quiet" }, "\n… the body is longer than is shown here")
      : null;
  }

  /** Take back what had not come at the slider's time. */
  cut() {
    if (!this.pieces.length) return this.say(0);
    if (this.isPretty && this.slider.value !== "1000") this.show(false);
    const first = this.pieces[0][0];
    const last = this.pieces[this.pieces.length - 1][0];
    const upto = first + ((last - first) * Number(this.slider.value)) / 1000 + 1e-7;
    for (const [time, node] of this.parts) node.classList.toggle("not-yet", time > upto);
    return this.say(this.pieces.filter(([time]) => time <= upto).length, upto);
  }

  say(shown, upto = null) {
    const size = this.pieces.slice(0, shown).reduce((sum, [, , , some]) => sum + some, 0);
    const when = upto === null || !shown ? "" : ` at ${duration(upto - this.start)}`;
    const kind = this.answer.binary ? ", not text: in hex" : "";
    this.said.textContent = `${bytes(size)} in ${count(shown, "piece")}${when}${kind}`;
  }
}
