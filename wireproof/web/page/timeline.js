// The timeline of an exchange: a lane for packets, one for chunks, one for events or frames, and the
// curve of all bytes. Each element is a mark at its arrival whose height is its size. What did not
// come is as visible as what came: stalls are shaded, and bursts are counted.
//
// Of an exchange that was seen on several legs these stand first, all on the same axis (legs.js).
//
// uPlot has the axes, the curve, the cursor and the zoom; a hook of it draws the lanes, because marks
// of 100,000 elements are one path for each lane, and one mark for each column of pixels.

import { el, fill, byId, oncePerFrame, oneAtATime } from "./dom.js";
import { count, duration } from "./format.js";
import { lanesOf, mainLane, pausesOf, received } from "./lanes.js";
import { endOf } from "./connections.js";
import { CURVE_HEIGHT, LANE_HEIGHT, drawLegs, legsEnd, legsHeight } from "./legs.js";
import { GUTTER, axisTime, burstsOf, coloursOf, largest, stallLimit } from "./ruler.js";
import { drawCurveName, drawLane } from "./marks.js";
import { drawBursts, drawStall, drawText, pendingPing } from "./overlays.js";
import { drawEndLines, drawEnds } from "./ends.js";
import { drawTrips, tripsOf } from "./trips.js";
import { drawPath, pathOf, saysPath } from "./path.js";
import { heldBy } from "./held.js";
import { chooseUnder, hover } from "./pointer.js";
import { currentRow, emit, on, state } from "./store.js";

const AXIS_HEIGHT = 24;
const LEAST_DRAG = 4; // pixels; less is a click

export class Timeline {
  constructor() {
    this.lanes = [];
    this.plot = null;
    this.loading = 0;
    this.start = 0; // seconds since the epoch, of what the axis begins with
    this.end = 0;
    this.total = 0; // bytes that the curve reaches to
    /** @type {ConnectionEnd[]} */
    this.ends = [];
    /** @type {Colours} */
    this.colours = {};
    /** @type {{from: number, upto: number, windows: string[]}[]} */
    this.held = []; // when flow control held the exchange
    /** @type {import("./trips.js").Trip[]} */
    this.trips = [];
    this.note = byId("timeline-note");
    this.host = byId("timeline-plot");
    this.tip = el("div", { class: "tip", role: "status", hidden: true });
    this.host.after(this.tip);
    this.redraw = oncePerFrame(() => this.plot?.redraw(false));
    on("exchange", () => this.open());
    on("element", () => this.redraw());
    on("cited", () => this.redraw());
    on("moment", () => this.showMoment());
    on("verdicts", () => this.rebuild());
    on("read", () => this.rebuild());
    this.grow = oneAtATime(() => this.takeMore());
    on("grown", () => this.grow());
    on("theme", () => this.build());
    new ResizeObserver(oncePerFrame(() => this.fit())).observe(this.host);
    byId("zoom-in").addEventListener("click", () => this.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => this.zoom(2));
    byId("zoom-fit").addEventListener("click", () => this.reset());
  }

  async open() {
    const row = currentRow();
    this.lanes = state.lanes = [];
    /** @type {[number, number]?} */
    this.range = null;
    const loading = (this.loading += 1);
    if (!row || row.outlined) return this.build();
    const lanes = lanesOf(row);
    const problem = await Promise.all(lanes.map((lane) => lane.load())).catch((error) => error);
    if (loading !== this.loading) return undefined; // another one has been chosen meanwhile
    if (problem instanceof Error) {
      this.build();
      this.note.textContent = problem.message;
      return undefined;
    }
    state.lanes = lanes.filter((lane) => lane.length);
    [this.held, this.trips] = await Promise.all([heldBy(row), tripsOf(row)]);
    if (loading !== this.loading) return undefined;
    this.lanes = state.lanes.filter((lane) => lane.isShown);
    this.start = row.first_time;
    this.measure();
    return this.build();
  }

  /** Draw it anew, for what is beside the lanes has come; what is in view stays. */
  rebuild() {
    if (!this.lanes.length) return;
    this.measure();
    if (!this.plot || this.plot.height !== this.height) return this.build();
    this.say();
    this.redraw();
    return emit("lanes", this);
  }

  /** Take what has come since. */
  async takeMore() {
    const row = currentRow();
    if (!row || !this.lanes.length) return this.open();
    const known = new Set(state.lanes.map((lane) => lane.path));
    const more = lanesOf(row).filter((lane) => !known.has(lane.path));
    if (more.length) return this.open();
    const loading = this.loading;
    await Promise.all(state.lanes.map((lane) => lane.load()));
    if (loading !== this.loading) return undefined;
    this.measure();
    if (!this.plot) return this.build();
    this.plot.setData(this.curve(), false);
    if (!this.range) this.reset();
    return emit("lanes", this);
  }

  /** Work out what is told at a glance: the largest sizes, gaps, stalls, bursts. */
  measure() {
    const row = currentRow();
    this.end = Math.max(endOf(row), legsEnd(), this.start + 1e-5);
    state.end = this.end;
    this.ends = (row.ends ?? []).filter((end) => end.time <= this.end + 1e-9);
    this.text = state.read.filter(([, , , kind]) => kind !== "data");
    const main = mainLane(state.lanes);
    this.main = main;
    const { times, indices } = main ? received(main) : { times: [], indices: [] };
    this.times = times;
    this.indices = indices;
    const { gaps, missed } = pausesOf(times);
    this.gaps = Float64Array.from(gaps, ([from, upto]) => Math.max(upto - from, 0));
    const limit = stallLimit(this.gaps);
    const isStall = (/** @type {[number, number]} */ [from, upto]) => upto - from >= limit;
    this.stalls = gaps.filter(isStall);
    this.missed = this.gaps.length ? missed.filter(isStall) : missed;
    this.bursts = burstsOf(times, this.gaps);
    this.path = pathOf(this.lanes.find((lane) => lane.kind === "p")?.connection, row);
    for (const lane of this.lanes) lane.largest = largest(lane.columns.size, lane.length);
  }

  /** The curve's columns: seconds since the start, and bytes received and sent until then. */
  /** @returns {[number[], number[], number[]]} */
  curve() {
    const lane = this.lanes.find((one) => one.kind === "p");
    this.total = 0;
    if (!lane) return [[0], [0], [0]];
    const { time, size, sender } = lane.columns;
    const seconds = [];
    const got = [];
    const gave = [];
    let down = 0;
    let up = 0;
    for (let index = 0; index < lane.length; index += 1) {
      if (!size[index] || time[index] < this.start - 1e-9 || time[index] > this.end + 1e-9)
        continue;
      if (sender[index]) down += size[index];
      else up += size[index];
      seconds.push(time[index] - this.start);
      got.push(down);
      gave.push(up);
    }
    if (!seconds.length) return [[0], [0], [0]];
    this.total = Math.max(down, up, 1);
    return [seconds, got, gave];
  }

  get height() {
    return this.above + CURVE_HEIGHT + AXIS_HEIGHT;
  }

  /** The lanes below those of elements, in their order. */
  get more() {
    const hasEnded = this.ends?.length > 0 || currentRow()?.is_whole === false;
    return [
      this.path?.length && "path",
      this.trips?.length && "trips",
      this.text?.length && "text",
      hasEnded && "ends",
    ].filter(Boolean);
  }

  /** Where one of these begins, in pixels from the top of the plot. */
  topOf(name) {
    return legsHeight() + (this.lanes.length + this.more.indexOf(name)) * LANE_HEIGHT;
  }

  /** Pixels above the curve: the legs and the lanes. */
  get above() {
    return legsHeight() + (this.lanes.length + this.more.length) * LANE_HEIGHT;
  }

  build() {
    this.plot?.destroy();
    this.plot = null;
    this.tip.hidden = true;
    fill(this.host);
    if (!this.lanes.length) {
      this.note.textContent = "";
      return emit("lanes", this);
    }
    this.colours = coloursOf();
    const data = this.curve();
    this.host.style.height = `${this.height}px`;
    this.line = el("div", { class: "moment", hidden: true });
    this.plot = new uPlot(this.options(), data, this.host);
    this.plot.over.append(this.line);
    this.showMoment();
    this.plot.over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.plot.over.addEventListener("click", (event) => this.click(event));
    this.plot.over.addEventListener("mousemove", (event) => hover(this, event));
    this.plot.over.addEventListener("mouseleave", () => (this.tip.hidden = true));
    this.plot.over.addEventListener(
      "pointerdown",
      (event) => {
        this.hasDragged = false;
        this.pan(event);
      },
      true,
    );
    this.plot.over.addEventListener(
      "mousedown",
      (event) => event.shiftKey && event.stopImmediatePropagation(),
      true,
    );
    this.say();
    return emit("lanes", this);
  }

  /** @returns {uPlot.Options} */
  options() {
    const { ink, quiet, line, server, client } = this.colours;
    const font = '11px system-ui, "DejaVu Sans", sans-serif';
    const part = CURVE_HEIGHT / (this.above + CURVE_HEIGHT);
    const step = uPlot.paths.stepped({ align: 1 });
    return {
      width: Math.max(this.host.clientWidth, 200),
      height: this.height,
      padding: [0, 62, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false },
        points: { show: false },
        bind: {
          dblclick: () => () => {
            this.reset();
            return null;
          },
        },
      },
      scales: {
        x: { time: false, range: (_, min, max) => this.bounds(min, max) },
        y: { range: () => [0, Math.max(this.total, 1) / (part * 0.86)] },
      },
      axes: [
        {
          stroke: quiet,
          font,
          size: AXIS_HEIGHT,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          gap: 2,
          values: (_, splits) => splits.map((value) => axisTime(value, splits)),
        },
        {
          side: 3,
          size: GUTTER,
          stroke: ink,
          grid: { show: false },
          ticks: { show: false },
          values: () => [],
        },
      ],
      series: [
        {},
        { stroke: server, fill: `${server}22`, width: 1.5, paths: step, points: { show: false } },
        { stroke: client, width: 1, dash: [3, 3], paths: step, points: { show: false } },
      ],
      hooks: {
        drawAxes: [(plot) => this.drawBack(plot)],
        draw: [(plot) => this.drawLanes(plot)],
        setSelect: [(plot) => this.noteRange(plot)],
      },
    };
  }

  // --- what part of time is in view ---

  /** @returns {[number, number]} */
  bounds(min, max) {
    if (this.range) return this.range;
    const length = this.end - this.start;
    const margin = Math.max(length * 0.015, 1e-6);
    return min === null || max === null || !Number.isFinite(length)
      ? [0, 1]
      : [-margin, length + 2 * margin];
  }

  /** A drag on the plot has chosen a range. */
  noteRange(plot) {
    const { left, width } = plot.select;
    if (width < LEAST_DRAG) return;
    const [from, upto] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.hasDragged = true; // the click that ends a drag chooses nothing
    this.setRange(from, upto);
  }

  setRange(from, upto) {
    const most = (this.end - this.start) * 1.2 + 1e-3;
    const length = Math.min(Math.max(upto - from, 2e-6), most);
    const middle = (from + upto) / 2;
    this.range = length >= most ? null : [middle - length / 2, middle + length / 2];
    this.apply();
  }

  apply() {
    if (!this.plot) return;
    const [min, max] = this.bounds(0, 0);
    this.plot.setScale("x", { min, max });
    this.say();
  }

  reset() {
    this.range = null;
    this.apply();
  }

  zoom(factor, at = null) {
    if (!this.plot) return;
    const { min, max } = this.plot.scales.x;
    const middle = at ?? (min + max) / 2;
    this.setRange(middle - (middle - min) * factor, middle + (max - middle) * factor);
  }

  shift(part) {
    if (!this.plot) return;
    const { min, max } = this.plot.scales.x;
    this.setRange(min + (max - min) * part, max + (max - min) * part);
  }

  wheel(event) {
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      this.shift((event.deltaX || event.deltaY) / 1000);
    } else if (event.ctrlKey || event.metaKey || event.altKey || this.range) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.plot.posToVal(event.offsetX, "x"));
    }
  }

  /** Shift and drag, or the middle button, moves what is in view. */
  pan(event) {
    if (!(event.shiftKey || event.button === 1)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { min, max } = this.plot.scales.x;
    const scale = (max - min) / this.plot.over.clientWidth;
    const move = (moved) => {
      const by = (event.clientX - moved.clientX) * scale;
      this.setRange(min + by, max + by);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", () => window.removeEventListener("pointermove", move), {
      once: true,
    });
  }

  fit() {
    if (!this.plot || !this.host.clientWidth) return;
    if (Math.abs(this.plot.width - this.host.clientWidth) > 1) {
      this.plot.setSize({ width: this.host.clientWidth, height: this.height });
    }
  }

  // --- drawing ---

  drawBack(plot) {
    const { ctx, bbox } = plot;
    const scale = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const isHeld = (from, upto) => this.held.some((one) => one.from < upto && one.upto > from);
    for (const [from, upto] of this.stalls)
      if (!isHeld(from, upto)) drawStall(this, plot, from, upto);
    for (const [from, upto] of this.missed) drawStall(this, plot, from, upto, "not recorded");
    const ping = pendingPing(this);
    if (ping) drawStall(this, plot, ...ping, "no pong");
    this.held.forEach(({ from, upto, windows }, index) => {
      const whose = `${windows.join(" and ")} window${windows.length > 1 ? "s" : ""}`;
      const which = this.held.length > 1 ? `, ${index + 1} of ${this.held.length} times` : "";
      drawStall(this, plot, from, upto, `${whose} closed${which}`);
    });
    ctx.restore();
    ctx.fillStyle = this.colours.line;
    for (let y = legsHeight(); y <= this.above; y += LANE_HEIGHT) {
      if (y)
        ctx.fillRect(
          bbox.left - GUTTER * scale,
          Math.round(bbox.top + y * scale),
          bbox.width + GUTTER * scale,
          1,
        );
    }
  }

  drawLanes(plot) {
    const { ctx, bbox } = plot;
    const scale = uPlot.pxRatio;
    ctx.save();
    this.lanes.forEach((lane, index) => {
      const top = bbox.top + (legsHeight() + index * LANE_HEIGHT) * scale;
      drawLane(this, plot, lane, top, scale);
    });
    drawEndLines(this, plot, scale);
    drawPath(this, plot, scale);
    drawTrips(this, plot, scale);
    drawLegs(plot, this.start, this.colours, GUTTER);
    drawText(this, plot, scale);
    drawCurveName(this, plot, scale);
    drawBursts(this, plot, scale);
    drawEnds(this, plot, scale);
    this.showMoment();
    ctx.restore();
  }

  /** Where the scrubber stands: a line over the plot, which need not be drawn anew for it. */
  showMoment() {
    if (!this.plot) return;
    const part = state.moment === null ? null : this.plot.valToPos(state.moment - this.start, "x");
    this.line.hidden = part === null || part < 0 || part > this.plot.over.clientWidth;
    this.line.style.left = `${part ?? 0}px`;
  }

  /** What is clicked is chosen; the click that ends a drag chooses nothing. */
  click(event) {
    if (!this.hasDragged) chooseUnder(this, event);
    this.hasDragged = false;
  }

  /** Say in words what the lanes show, for whoever cannot see them. */
  say() {
    const shown = this.range ? `; ${duration(this.range[1] - this.range[0])} in view` : "";
    const stalls = this.stalls.length ? `, ${count(this.stalls.length, "pause")}` : "";
    const missed = this.missed.length ? `, ${count(this.missed.length, "pause")} not recorded` : "";
    const held = this.held.length ? `, windows closed ${count(this.held.length, "time")}` : "";
    const bursts = this.bursts.length ? `, ${count(this.bursts.length, "burst")}` : "";
    const length = (currentRow()?.last_time ?? this.end) - this.start;
    this.note.textContent = `${duration(length)}${stalls}${missed}${held}${bursts}${saysPath(this.path)}${shown}`;
  }
}
