// The histogram of gaps between what was received, and the figures people quote: p50, p90, p99.
// The axis is logarithmic: gaps of a stream reach from microseconds to minutes.

import { el, fill, byId, oncePerFrame } from "./dom.js";
import { count, duration, number, percentile } from "./format.js";
import { TOGETHER } from "./ruler.js";
import { on } from "./store.js";

const PER_DECADE = 6;
const NAME_WIDTH = 62; // pixels of a name below the axis
/** @type {{[kind: string]: string}} */
const NAMES = {
  h: "DATA frames",
  p: "packets with data",
  k: "chunks",
  t: "runs of data",
  e: "events",
  x: "elements",
  f: "data frames",
  m: "messages",
};

export class Gaps {
  constructor() {
    /** @type {uPlot | null} */
    this.plot = null;
    this.host = byId("gaps-plot");
    this.figures = byId("gaps-figures");
    this.timeline = null;
    on("lanes", (timeline) => {
      this.timeline = timeline;
      this.draw();
    });
    new ResizeObserver(oncePerFrame(() => this.draw())).observe(this.host);
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    const { gaps, main, colours } = this.timeline ?? {};
    fill(this.host);
    if (!gaps?.length || !this.timeline.lanes.length) {
      byId("gaps-title").textContent = "Gaps";
      fill(this.figures, el("span", { class: "quiet" }, "none: fewer than two arrivals"));
      return;
    }
    byId("gaps-title").textContent = `Gaps between ${NAMES[main.kind]}`;
    const span = gaps.reduce(
      (/** @type {number} */ sum, /** @type {number} */ gap) => sum + gap,
      0,
    );
    if (span <= TOGETHER) {
      const all = `${number(gaps.length + 1)} ${NAMES[main.kind]}`;
      const within = span ? `within ${duration(span)}` : "at one time";
      fill(this.host, el("p", { class: "at-once" }, el("b", {}, "All at once")));
      fill(this.figures, el("span", { class: "quiet" }, `${all} ${within}`));
      return;
    }
    const sorted = Float64Array.from(gaps).sort();
    /** @type {[string, number][]} */
    const quantiles = [
      ["p50", 0.5],
      ["p90", 0.9],
      ["p99", 0.99],
      ["max", 1],
    ];
    /** @type {[string, number][]} */
    const marks = quantiles.map(([name, part]) => [name, percentile(sorted, part)]);
    fill(
      this.figures,
      marks.map(([name, value]) =>
        el("span", { class: "figure" }, el("b", {}, name), ` ${duration(value)}`),
      ),
      el("span", { class: "quiet" }, `${count(gaps.length, "gap")} between ${NAMES[main.kind]}`),
    );
    if (this.host.clientWidth < 60 || this.host.clientHeight < 40) return;
    this.plot = new uPlot(this.options(colours, marks), histogram(sorted), this.host);
  }

  /**
   * @param {Colours} colours @param {[string, number][]} marks
   * @returns {uPlot.Options}
   */
  options(colours, marks) {
    const font = '10.5px system-ui, "DejaVu Sans", sans-serif';
    return {
      width: this.host.clientWidth,
      height: this.host.clientHeight,
      padding: [16, 10, 0, 10],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: (_, min, max) => widened(min, max) },
        y: { range: (_, _min, max) => [0, Math.max(max, 1)] },
      },
      axes: [
        {
          stroke: colours.quiet,
          font,
          size: 20,
          gap: 2,
          grid: { show: false },
          ticks: { show: false },
          splits: (plot) =>
            decades(plot.scales.x.min, plot.scales.x.max, plot.bbox.width / uPlot.pxRatio),
          values: (_, splits) =>
            splits.map((value) => duration(10 ** value).replace(/\.0+(?= )/, "")),
        },
        {
          stroke: colours.quiet,
          font,
          size: 30,
          gap: 4,
          grid: { show: false },
          ticks: { show: false },
          label: "how many",
          labelSize: 12,
          labelFont: font,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1e4, 1e5, 1e6],
        },
      ],
      series: [
        {},
        {
          fill: colours.server,
          width: 0,
          points: { show: false },
          paths: uPlot.paths.bars({ size: [0.86, 24], align: 1 }),
        },
      ],
      hooks: { draw: [(plot) => drawMarks(plot, marks, colours)] },
    };
  }
}

/**
 * Columns of the histogram: the logarithm where each bar begins, and how many gaps are in it.
 * @param {Float64Array} sorted
 * @returns {[number[], number[]]}
 */
function histogram(sorted) {
  const place = (/** @type {number} */ gap) =>
    Math.floor(Math.log10(Math.max(gap, 1e-6)) * PER_DECADE);
  const first = place(sorted[0]) - 1;
  const last = place(sorted[sorted.length - 1]) + 2;
  const places = Array.from(
    { length: last - first + 1 },
    (_, index) => (first + index) / PER_DECADE,
  );
  const counts = new Array(places.length).fill(0);
  for (const gap of sorted) counts[place(gap) - first] += 1;
  return [places, counts];
}

/**
 * At least two decades, so that a steady stream looks steady.
 * @param {number} min @param {number} max
 * @returns {[number, number]}
 */
function widened(min, max) {
  const beyond = Math.max(2.2 - (max - min), 0) / 2;
  return [min - beyond, max + beyond];
}

/**
 * Powers of ten that are named: as many as there is room for their names.
 * @param {number} min @param {number} max @param {number} width
 */
function decades(min, max, width) {
  const found = [];
  const step = Math.max(Math.ceil(((max - min) * NAME_WIDTH) / width), 1);
  const edge = ((max - min) * NAME_WIDTH) / width / 3; // within it a name would be cut
  for (let power = Math.ceil(min + edge); power <= max - edge; power += step) found.push(power);
  return found.length ? found : [(min + max) / 2];
}

/**
 * Draw a line at each figure, with its name above it; those that coincide share one.
 * @param {Plot} plot @param {[string, number][]} marks @param {Colours} colours
 */
function drawMarks(plot, marks, colours) {
  const { ctx, bbox } = plot;
  const scale = uPlot.pxRatio;
  ctx.save();
  ctx.font = `${10 * scale}px system-ui, "DejaVu Sans", sans-serif`;
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  /** @type {Map<number, string[]>} */
  const named = new Map(); // by where its line stands: several may be one
  for (const [name, value] of marks) {
    const x = Math.round(plot.valToPos(Math.log10(Math.max(value, 1e-6)), "x", true));
    named.set(x, [...(named.get(x) ?? []), name]);
  }
  ctx.fillStyle = colours.warn;
  for (const x of named.keys()) ctx.fillRect(x, bbox.top, 1, bbox.height);
  const texts = [...named].map(([x, names]) => ({ x, text: names.join(", "), width: 0, left: 0 }));
  let free = 0;
  for (const one of texts) {
    one.width = ctx.measureText(one.text).width;
    one.left = Math.max(one.x - one.width / 2, free);
    free = one.left + one.width + 4 * scale;
  }
  free = ctx.canvas.width; // what would stand beyond it pushes those before it to the left
  ctx.fillStyle = colours.quiet;
  for (const one of texts.reverse()) {
    one.left = Math.min(one.left, free - one.width);
    ctx.fillText(one.text, one.left, bbox.top - 2 * scale);
    free = one.left - 4 * scale;
  }
  ctx.restore();
}
