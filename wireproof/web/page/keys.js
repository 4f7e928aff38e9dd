// The keyboard: everything the mouse can do. Keys that mean something to what has the focus are its
// own; the others are here.

import { byId, el, fill } from "./dom.js";
import { chooseElement, state } from "./store.js";

const HELP = [
  ["↑ ↓", "the next or previous row of the list in focus"],
  ["j k", "the same in the open panel, wherever the focus is"],
  ["J K", "the next or previous exchange"],
  ["Esc", "fold the bytes; in the filter, clear it"],
  ["/", "filter the exchanges; Enter keeps the filter, Escape clears it"],
  ["Ctrl+F", "find a text in the exchange: events, heads, bytes"],
  ["[ ]", "the previous or next panel"],
  ["1 … 9", "that panel"],
  ["+ − 0", "zoom the timeline in, out, to all of it"],
  ["← →", "move the timeline"],
  ["n", "the next diagnostic"],
  ["s", "take it with you: copy, or save as a file"],
  ["c", "keep this exchange, and compare the next one you choose with it"],
  ["p", "pause or resume, while packets arrive"],
  ["t", "dark or light"],
  ["?", "this help"],
];

export class Keys {
  constructor({ connections, timeline, panels, take, compare, find, pause, theme }) {
    this.connections = connections;
    this.timeline = timeline;
    this.panels = panels;
    this.take = take;
    this.compare = compare;
    this.find = find;
    this.pause = pause;
    this.theme = theme;
    this.help = byId("help", HTMLDialogElement);
    fill(
      byId("help-keys"),
      HELP.map(([keys, says]) => [
        el(
          "dt",
          {},
          keys.split(" ").map((key) => el("kbd", {}, key)),
        ),
        el("dd", {}, says),
      ]),
    );
    byId("help-open").addEventListener("click", () => this.help.showModal());
    byId("help-close").addEventListener("click", () => this.help.close());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (
      (event.ctrlKey || event.metaKey) &&
      event.key === "f" &&
      !document.querySelector("dialog[open]")
    ) {
      event.preventDefault();
      this.find.open();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]"))
      return;
    const filter = byId("filter", HTMLInputElement);
    if (event.target === filter) {
      if (event.key === "Escape" || event.key === "Enter") {
        event.preventDefault();
        if (event.key === "Escape") this.connections.show("");
        filter.blur();
        this.connections.list.node.focus();
      }
      return;
    }
    if (/^(input|textarea|select)$/i.test(event.target.tagName)) return;
    const work = this.workOf(event.key);
    if (!work) return;
    event.preventDefault();
    work();
  }

  workOf(key) {
    const { connections, timeline, panels } = this;
    if (/^[1-9]$/.test(key))
      return () => panels.names?.[key - 1] && panels.show(panels.names[key - 1]);
    return {
      "/": () => byId("filter", HTMLInputElement).select(),
      "?": () => this.help.showModal(),
      j: () => panels.move(1),
      k: () => panels.move(-1),
      J: () => connections.list.move(1),
      K: () => connections.list.move(-1),
      ArrowDown: () => connections.list.move(1),
      ArrowUp: () => connections.list.move(-1),
      "]": () => panels.step(1),
      "[": () => panels.step(-1),
      "+": () => timeline.zoom(0.5),
      "=": () => timeline.zoom(0.5),
      "-": () => timeline.zoom(2),
      0: () => timeline.reset(),
      ArrowLeft: () => timeline.shift(-0.2),
      ArrowRight: () => timeline.shift(0.2),
      n: () => this.nextFault(),
      s: () => this.take.open(),
      c: () => this.compare.toggle(),
      p: () => this.pause(),
      t: () => this.theme(),
    }[key];
  }

  /** Choose the next diagnostic, of this exchange or of one after it. */
  nextFault() {
    const keys = connectionsWithFaults(this.connections.visible);
    if (!keys.length) return;
    const { element, current } = state;
    const isHere = element?.kind === "d" && element.key === current;
    if (isHere && element.row + 1 < state.rows.get(current).counts.d) {
      chooseElement(current, "d", element.row + 1);
      return;
    }
    const at = this.connections.visible.indexOf(current);
    const next =
      keys.find((key) => this.connections.visible.indexOf(key) > (isHere ? at : at - 1)) ?? keys[0];
    chooseElement(next, "d", 0);
  }
}

const connectionsWithFaults = (keys) => keys.filter((key) => state.rows.get(key).counts.d);
