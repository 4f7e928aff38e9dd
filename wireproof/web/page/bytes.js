// The bytes pane: the packets that carried the chosen element, each as hex and text with the
// element's bytes highlighted, layer by layer. Offsets count the bytes of the frame from 0, as
// Wireshark's do. A click on a byte chooses the element that it belongs to.

import { copyButton, el, fill, byId, queryAll } from "./dom.js";
import {
  asText,
  bytes,
  clock,
  count,
  dataText,
  hex,
  number,
  oneLine,
  problemOf,
  span,
} from "./format.js";
import { jsonOf, jsonTree } from "./json.js";
import { HALF, HexDump, LAYERS, NAMES, WIDTH, styleOf } from "./hexdump.js";
import { Opened } from "./opened.js";
import {
  captureOf,
  chooseNothing,
  choosePath,
  emit,
  linkOf,
  linkTo,
  on,
  state,
  within,
} from "./store.js";
import { Missing } from "./source.js";
import { saysFrame, saysRecord } from "./wiretables.js";

export class Bytes {
  constructor() {
    this.host = byId("bytes");
    this.asked = 0;
    on("element", () => this.show());
    on("exchange", () => this.show());
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.close(event));
    this.show();
  }

  /** Fold the pane: nothing is chosen any more. */
  close(event) {
    if (event.target.closest?.("dialog, input") || !(state.element || state.packet)) return;
    chooseNothing();
  }

  async show() {
    const asked = (this.asked += 1);
    const isAsked = Boolean(state.element || state.packet);
    document.documentElement.dataset.bytes = isAsked ? "yes" : "no";
    if (!isAsked) return void fill(this.host);
    this.capture = state.element ? captureOf(state.element.key) : state.capture;
    let found = null;
    try {
      if (state.element) found = await this.element(state.element);
      if (asked !== this.asked) return;
      const numbers = found ? carriersOf(found) : [state.packet];
      await this.draw(found, numbers, asked);
    } catch (error) {
      if (asked === this.asked)
        fill(
          this.host,
          el("p", { class: "empty" }, `There is nothing to show: ${missing(error)}.`),
        );
    }
  }

  async element({ key, kind, row }) {
    const size = state.summary.pages.rows;
    const page = await state.source.get(`rows/${key}/${kind}/${Math.floor(row / size)}`);
    const found = page.rows[row % size];
    if (!found) throw new Missing("no such element");
    return found.cut ? state.source.get(`element/${key}/${kind}/${row}`) : found;
  }

  async draw(found, numbers, asked) {
    const first = numbers[0];
    this.frames = el("div", { class: "frame-view" });
    this.choices = el("div", {
      class: "carriers",
      role: "group",
      "aria-label": "Packets that carried it",
    });
    const pieces = found ? [title(found), facts(found), payload(found)] : [];
    const inside = found?.opened?.length
      ? new Opened(found, (packet) => this.packet(packet))
      : null;
    document.documentElement.dataset.opened = inside ? "yes" : "no";
    const about = el("div", { class: "about" }, pieces);
    if (!first) {
      fill(
        this.host,
        closeButton(),
        about,
        el("p", { class: "empty" }, "No packet carried bytes of it."),
      );
      return;
    }
    this.found = found;
    if (numbers.length > 1) {
      fill(
        this.choices,
        numbers.slice(0, 64).map((number) =>
          el(
            "button",
            {
              type: "button",
              class: "small",
              "data-packet": number,
              onclick: () => this.packet(number),
            },
            `${number}`,
          ),
        ),
      );
      if (found?.more || numbers.length > 64)
        this.choices.append(el("span", { class: "quiet" }, "and more"));
    }
    const label = numbers.length > 1 ? el("span", { class: "quiet" }, "Packets") : null;
    const strip = numbers.length > 1 ? el("div", { class: "strip" }, label, this.choices) : null;
    const isNew = asked === this.asked;
    if (!isNew) return;
    const both = el("div", { class: "beside" }, this.frames, inside?.node);
    fill(this.host, closeButton(), about, strip, both);
    await Promise.all([this.packet(first), inside?.show(0)]);
  }

  /** Show one of the packets. */
  async packet(number) {
    const asked = this.asked;
    const frame = await state.source.get(`packet/${within(this.capture, number)}`);
    if (asked !== this.asked) return;
    for (const button of queryAll(this.choices, "button"))
      button.setAttribute("aria-pressed", String(button.dataset.packet === String(number)));
    const ranges = (this.found?.carried ?? []).filter(([packet]) => packet === number);
    this.dump = new HexDump(
      frame,
      ranges,
      `Bytes of packet ${frame.packet}`,
      this.found?.opened?.length ? HALF : WIDTH,
    );
    fill(this.frames, this.heading(frame), this.layers(frame, ranges), this.dump.node);
    this.dump.reveal(ranges.length ? ranges[0][1] : 0);
    emit("bytes");
  }

  heading(frame) {
    const cut = frame.captured < frame.length ? `, ${number(frame.captured)} captured` : "";
    const flags = frame.flags.length ? ` [${frame.flags.join(", ")}]` : "";
    const by = frame.sender ? ` from the ${frame.sender}` : "";
    const again =
      frame.payload && !frame.brought.length
        ? el(
            "span",
            { class: "warn" },
            " These bytes arrived before: they belong to the packet that carried them first.",
          )
        : null;
    return el(
      "div",
      { class: "frame-head" },
      el("h3", {}, `Packet ${frame.packet}`),
      el("span", {}, `${number(frame.length)} bytes${cut}${by}${flags}, ${clock(frame.time)} UTC`),
      again,
      frame.filter && !this.found ? filterLine(frame.filter) : null,
    );
  }

  /** The layers, outermost first; each shows its bytes when it is chosen. */
  layers(frame, ranges) {
    const layers = frame.layers.map(([name, start, end], index) => [
      name,
      start,
      end,
      `layer${index}`,
    ]);
    const inside = framingOf(frame, ranges).map(([name, start, end, style]) => [
      name,
      start,
      end,
      style,
    ]);
    const shown = [
      ...layers.filter(([name]) => name !== "TCP payload" || !inside.length),
      ...inside,
    ];
    return el(
      "div",
      { class: "layers", role: "group", "aria-label": "Layers" },
      shown.map(([name, start, end, style]) =>
        el(
          "button",
          {
            type: "button",
            class: `layer ${styleOf(name, style)}`,
            title: `${number(end - start)} bytes, ${start} to ${end - 1}`,
            onclick: () => this.dump.flash(start, end),
          },
          name,
          el("small", {}, ` ${hex(start, 4)}–${hex(end - 1, 4)}`),
        ),
      ),
    );
  }
}

/** @param {unknown} error */
const missing = (error) =>
  error instanceof Missing ? `${linkOf()} is not in the capture` : problemOf(error);

const closeButton = () =>
  el(
    "button",
    {
      type: "button",
      class: "small close",
      title: "Fold this pane (Escape)",
      "aria-label": "Fold the bytes",
      onclick: chooseNothing,
    },
    "✕",
  );

/** The packets of an element: those that carried its bytes, else those of its record. */
function carriersOf(found) {
  const numbers = [...new Set(found.carried.map(([packet]) => packet))];
  if (numbers.length) return numbers;
  return found.record.last_packet > 0 ? [found.record.last_packet] : [];
}

/** What lies in the payload near what is highlighted: HTTP heads, chunk framing, frames. */
function framingOf(frame, ranges) {
  const near = ([start, end]) =>
    !ranges.length || ranges.some(([, from, upto]) => start < upto + 64 && end > from - 64);
  return frame.parts
    .filter(([start, end, layer]) => layer !== "content" && near([start, end]))
    .filter(([, , , kind], _, all) => kind !== "a" || !all.some((one) => "hqr".includes(one[3])))
    .slice(0, 12)
    .map(([start, end, layer, kind, , row]) => [
      `${NAMES[kind]}${kind === "q" || kind === "r" ? "" : ` ${row}`} ${LAYERS[layer]}`.replace(
        /^(Request|Response).*/,
        "$1 head",
      ),
      start,
      end,
      layer,
    ]);
}

function title(found) {
  const { record, kind, row, key } = found;
  const type = {
    e: record.event,
    f: record.opcode_name,
    m: record.type,
    d: record.code,
    y: record.content_type ?? record.type,
    a: record.type,
  }[kind];
  const where = linkTo({ key, kind, row });
  return el(
    "h2",
    {},
    `${NAMES[kind]} ${number(row)}`,
    type ? el("span", { class: "type" }, oneLine(type, 60)) : null,
    el("a", { class: "link", href: where, title: "A link to this element" }, where),
  );
}

function facts(found) {
  const { record, kind } = found;
  const packets =
    record.last_packet > 0 ? `packet ${span(record.first_packet, record.last_packet)}` : null;
  const place = record.sender
    ? `bytes ${number(record.offset)} to ${number(record.offset + record.length)} of ${whose(record)}`
    : null;
  const said = [packets, record.length ? count(record.length, "byte") : null, place]
    .filter(Boolean)
    .join(" · ");
  const about = { y: saysRecord, a: saysFrame }[kind]?.(record);
  return [
    el("p", { class: "where" }, said),
    about ? el("p", { class: "where" }, about) : null,
    found.filter ? filterLine(found.filter) : null,
  ];
}

/** Of which bytes an offset is. */
function whose(record) {
  if (record.layer === "tls") return `what the ${record.sender} sent, decrypted`;
  return `the ${record.sender}'s stream`;
}

function filterLine(filter) {
  return el("p", { class: "filter" }, el("code", {}, filter), copyButton(filter, "filter"));
}

/** What an element says, laid out. */
function payload(found) {
  const { record, kind } = found;
  const text =
    kind === "d"
      ? record.summary
      : kind === "q" || kind === "r" || kind === "b"
        ? null
        : dataText(record, 4000);
  if (!text) return null;
  const json = record.encoding === "base64" ? undefined : jsonOf(record.data ?? "");
  const note = record.encoding === "base64" ? "bytes" : json ? "JSON" : "text";
  return el(
    "details",
    { class: "said", open: true },
    el(
      "summary",
      {},
      `${note}, ${bytes(record.size ?? record.payload_length ?? new Blob([text]).size)}`,
    ),
    copyButton(record.encoding === "base64" ? record.data : text, "value"),
    json
      ? el(
          "div",
          { class: "json-tree", tabindex: "0", role: "group", "aria-label": "What it says" },
          jsonTree(json, (path) => choosePath(kind, path)),
        )
      : el("pre", { tabindex: "0", "aria-label": "What it says" }, asText(text.slice(0, 200_000))),
  );
}
