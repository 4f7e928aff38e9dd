// What the TLS records of an element held, decrypted, beside the packets that carried them encrypted:
// the element's bytes highlighted here too. Offsets count the decrypted bytes of the record from 0.

import { el, fill, queryAll } from "./dom.js";
import { count, hex, number } from "./format.js";
import { HALF, HexDump, LAYERS, NAMES } from "./hexdump.js";
import { captureOf, chooseElement, state, within } from "./store.js";

const SHOWN = 12; // layers that have a button

export class Opened {
  /** Of the element `found`; `onPacket` shows the packet that carried the end of a record. */
  constructor(found, onPacket) {
    this.found = found;
    this.onPacket = onPacket;
    this.key = within(captureOf(found.key), `${found.record.connection}.w`);
    this.view = el("div", { class: "frame-view opened" });
    this.choices = el(
      "div",
      { class: "carriers", role: "group", "aria-label": "TLS records that held it" },
      found.opened.map(([row], index) =>
        el(
          "button",
          { type: "button", class: "small", onclick: () => this.show(index, true) },
          `${row}`,
        ),
      ),
    );
    const strip = el(
      "div",
      { class: "strip" },
      el("span", { class: "quiet" }, "TLS records"),
      this.choices,
    );
    this.node = el(
      "div",
      { class: "opened-side" },
      found.opened.length > 1 ? strip : null,
      this.view,
    );
  }

  /** Show what one of the records held. */
  async show(index, isAsked = false) {
    const [row, start, end] = this.found.opened[index];
    const asked = (this.asked = index);
    const held = await state.source.get(`opened/${this.key}/${row}`);
    if (asked !== this.asked) return;
    queryAll(this.choices, "button").forEach((button, at) =>
      button.setAttribute("aria-pressed", String(at === index)),
    );
    const isAll = this.found.kind === "y";
    const ranges = isAll ? [] : [[held.packet, start, end]];
    const frame = { ...held, layers: [] };
    this.dump = new HexDump(frame, ranges, `Decrypted bytes of TLS record ${row}`, HALF);
    fill(this.view, this.heading(held), this.layers(held, ranges), this.dump.node);
    this.dump.reveal(isAll ? 0 : start);
    if (isAsked) this.onPacket(held.packet);
  }

  heading(held) {
    const size = atob(held.data).length;
    const from = `${count(size, "byte")} from byte ${number(held.offset ?? 0)} of what the ${held.sender} sent`;
    const open = () => chooseElement(this.key, "y", held.row);
    const isIt = this.found.kind === "y";
    const name = `TLS record ${held.row}, decrypted`;
    const link = el(
      "button",
      { type: "button", class: "small", title: "The record as an element", onclick: open },
      "Record",
    );
    return el(
      "div",
      { class: "frame-head" },
      el("h3", {}, name),
      el("span", {}, from),
      isIt ? null : link,
    );
  }

  /** What lies in it near what is highlighted: frames, heads, chunks; each shows its bytes. */
  layers(held, ranges) {
    const near = ([start, end]) =>
      !ranges.length || ranges.some(([, from, upto]) => start < upto + 64 && end > from - 64);
    const isTwice = (part) =>
      part[3] === "a" && held.parts.some((one) => "hqr".includes(one[3]) && one[0] === part[0]);
    const shown = held.parts.filter((part) => near(part) && !isTwice(part)).slice(0, SHOWN);
    return el(
      "div",
      { class: "layers", role: "group", "aria-label": "Layers of the decrypted bytes" },
      shown.map(([start, end, layer, kind, , row]) =>
        el(
          "button",
          {
            type: "button",
            class: `layer ${layer === "content" ? "payload" : layer}`,
            title: `${number(end - start)} bytes, ${start} to ${end - 1}`,
            onclick: () => this.dump.flash(start, end),
          },
          layer === "head"
            ? `${NAMES[kind]} head`
            : `${NAMES[kind]} ${row}${LAYERS[layer] ? ` ${LAYERS[layer]}` : ""}`,
          el("small", {}, ` ${hex(start, 4)}–${hex(end - 1, 4)}`),
        ),
      ),
    );
  }
}
