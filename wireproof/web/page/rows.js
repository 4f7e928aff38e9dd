// A list of any length of which only what is in view exists: rows have one height, and are asked
// for by number. The list is one stop of the Tab key; arrows, Page Up and Down, Home and End move
// the choice within it.

import { el, oncePerFrame } from "./dom.js";

const BEYOND = 8; // rows above and below the view, so that scrolling finds them there
const MOST_PIXELS = 8_000_000; // browsers draw no taller element exactly

let made = 0; // lists, each of which has an ID of its own

export class VirtualRows {
  /**
   * `label` names the list to a screen reader. `render(index)` returns the cells of a row and
   * its classes, {cells, marks}; `choose(index, event)` is called when one is chosen.
   * @param {{label: string, height: number, className?: string,
   *   render: (index: number) => {cells: any[], marks: string},
   *   choose: (index: number, event: MouseEvent | null) => void}} options
   */
  constructor({ label, height, render, choose, className = "" }) {
    this.height = height;
    this.render = render;
    this.choose = choose;
    this.count = 0;
    this.chosen = -1;
    this.id = `rows${(made += 1)}`;
    this.space = el("div", { class: "rows-space", role: "presentation" });
    this.node = el(
      "div",
      { class: `rows ${className}`, role: "grid", tabindex: "0", "aria-label": label },
      this.space,
    );
    /** @type {Map<number, HTMLElement>} */
    this.shown = new Map();
    this.draw = oncePerFrame(() => this.drawNow());
    this.node.addEventListener("scroll", this.draw, { passive: true });
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.space.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(this.draw).observe(this.node);
  }

  /** Say how many rows there are; those in view are drawn anew. @param {number} count */
  resize(count) {
    this.count = count;
    this.node.setAttribute("aria-rowcount", String(count));
    this.space.style.height = `${Math.min(count * this.height, MOST_PIXELS)}px`;
    this.redraw();
  }

  /** Draw the rows in view anew. */
  redraw() {
    for (const node of this.shown.values()) node.remove();
    this.shown.clear();
    this.draw();
  }

  /** Mark a row as chosen, and scroll to it if it is out of view. @param {number} index */
  select(index, scroll = true) {
    this.shown.get(this.chosen)?.setAttribute("aria-selected", "false");
    this.chosen = index;
    this.shown.get(index)?.setAttribute("aria-selected", "true");
    if (index >= 0) this.node.setAttribute("aria-activedescendant", `${this.id}-${index}`);
    else this.node.removeAttribute("aria-activedescendant");
    if (scroll && index >= 0) this.reveal(index);
  }

  /** @param {number} index */
  reveal(index) {
    const top = this.pixels(index);
    const { scrollTop, clientHeight } = this.node;
    if (top < scrollTop) this.node.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) {
      this.node.scrollTop = top + this.height - clientHeight;
    }
    this.draw();
  }

  // Above MOST_PIXELS the scrollbar's way is shorter than the rows': then it is stretched.
  get stretch() {
    const all = this.count * this.height;
    return all > MOST_PIXELS ? all / MOST_PIXELS : 1;
  }

  /** @param {number} index */
  pixels(index) {
    return (index * this.height) / this.stretch;
  }

  drawNow() {
    const { scrollTop, clientHeight } = this.node;
    const first = Math.floor((scrollTop * this.stretch) / this.height);
    const from = Math.max(first - BEYOND, 0);
    const upto = Math.min(first + Math.ceil(clientHeight / this.height) + BEYOND, this.count);
    for (const [index, node] of this.shown) {
      if (index < from || index >= upto) {
        node.remove();
        this.shown.delete(index);
      }
    }
    const shift = scrollTop - scrollTop * this.stretch;
    for (let index = from; index < upto; index += 1) {
      let node = this.shown.get(index);
      if (!node) {
        node = this.row(index);
        this.shown.set(index, node);
        this.space.append(node);
      }
      node.style.transform = `translateY(${index * this.height + (this.stretch > 1 ? shift : 0)}px)`;
    }
  }

  /** @param {number} index */
  row(index) {
    const { cells, marks } = this.render(index);
    const facts = {
      class: `row ${marks}`,
      role: "row",
      id: `${this.id}-${index}`,
      "data-index": index,
      "aria-rowindex": index + 1,
      "aria-selected": String(index === this.chosen),
    };
    return el("div", facts, cells);
  }

  /** @param {MouseEvent} event */
  click(event) {
    const row = event.target instanceof Element ? event.target.closest(".row") : null;
    if (row instanceof HTMLElement) this.choose(Number(row.dataset.index), event);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const page = Math.max(Math.floor(this.node.clientHeight / this.height) - 1, 1);
    /** @type {{[key: string]: number}} */
    const steps = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    if (!(event.key in steps) || !this.count || event.ctrlKey || event.metaKey || event.altKey)
      return;
    event.preventDefault();
    event.stopPropagation();
    this.move(steps[event.key]);
  }

  /** Choose the row `step` further on. @param {number} step */
  move(step) {
    if (!this.count) return;
    const from = this.chosen < 0 && step > 0 ? -1 : this.chosen;
    const index = Math.min(Math.max(from + step, 0), this.count - 1);
    this.choose(index, null);
    this.reveal(index);
  }
}

/**
 * A cell of a row.
 * @param {string} className @param {import("./dom.js").Child} text
 * @param {{[name: string]: any}} facts
 */
export function cell(className, text, facts = {}) {
  return el("div", { class: `cell ${className}`, role: "gridcell", ...facts }, text);
}
