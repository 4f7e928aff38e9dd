// The two windows that hold a sender of HTTP/2 (RFC 9113 section 6.9), as they were at any time: the
// stream's and the connection's. Stalls are shaded; below stands whose window was closed, for how
// long, which packet used it up and which opened it again.

import { el, fill, oncePerFrame } from "./dom.js";
import { closedSpans } from "./held.js";
import { bytes, count, duration, number } from "./format.js";
import { axisTime, coloursOf } from "./ruler.js";
import { choosePacket, on, state, wireOf } from "./store.js";

const HEIGHT = 170; // pixels
const MOST_SAID = 6; // times that windows were closed, each with how long
const NEAR = 24; // pixels from a moment within which a click means it

/**
 * Both windows after each frame that changed one of them, from where the stream began, and what stalled
 * in either. The two answers number these frames alike: one of DATA changes both windows at once.
 */
function together(own, shared) {
  const found = { time: [], packet: [], stream: [], connection: [] };
  let [stream, connection] = [null, shared.begin];
  let [next, other] = [0, 0];
  while (next < own.at.length || other < shared.at.length) {
    const [mine, theirs] = [own.at[next] ?? Infinity, shared.at[other] ?? Infinity];
    const [of, place] = mine <= theirs ? [own, next] : [shared, other];
    if (mine <= theirs) stream = own.size[next++];
    if (theirs <= mine) connection = shared.size[other++];
    if (stream === null) continue; // it has not begun
    found.time.push(of.time[place]);
    found.packet.push(of.packet[place]);
    found.stream.push(stream);
    found.connection.push(connection);
  }
  const isWhole = own.total === own.at.length && shared.total === shared.at.length;
  const stalls = [...own.stalls, ...shared.stalls];
  stalls.sort((one, another) => one.first_time - another.first_time);
  return {
    ...found,
    known: own.known,
    settled: own.settled,
    stalls,
    closed: closedSpans(stalls).length,
    total: isWhole ? found.time.length : own.total + shared.total,
  };
}

export class WindowChart {
  constructor(row) {
    this.row = row;
    this.sender = "server";
    this.host = el("div", { class: "windows-plot" });
    this.says = el("p", { class: "where", role: "status" });
    this.stalls = el("ul", { class: "stalls", "aria-label": "Stalls" });
    this.sides = ["server", "client"].map((sender) =>
      el(
        "button",
        { type: "button", class: "small", onclick: () => this.turn(sender) },
        `what holds the ${sender}`,
      ),
    );
    const choice = el(
      "div",
      { class: "carriers", role: "group", "aria-label": "Whose windows" },
      this.sides,
    );
    const legend = el(
      "span",
      { class: "legend" },
      el("i", { class: "server" }),
      "stream ",
      el("i", { class: "client" }),
      "connection ",
      el("i", { class: "stall" }),
      "closed",
    );
    this.node = el(
      "div",
      { class: "windows", tabindex: "0", role: "group", "aria-label": "Windows" },
      el("div", { class: "strip" }, choice, legend),
      this.says,
      this.host,
      this.stalls,
    );
    new ResizeObserver(oncePerFrame(() => this.draw())).observe(this.host);
    on("theme", () => this.node.isConnected && this.draw());
  }

  turn(sender) {
    this.sender = sender;
    return this.update();
  }

  async update() {
    const { sender } = this;
    const asked = [this.row.key, wireOf(this.row)].map((key) =>
      state.source.get(`windows/${key}/${sender}`),
    );
    const [own, shared] = await Promise.all(asked);
    if (sender !== this.sender) return;
    this.found = together(own, shared);
    this.sides.forEach((button, at) =>
      button.setAttribute("aria-pressed", String((at === 0) === (sender === "server"))),
    );
    this.says.textContent = this.sentence();
    fill(
      this.stalls,
      this.found.stalls.map((stall) => this.stall(stall)),
    );
    this.draw();
  }

  /** What the chart shows, in words. */
  sentence() {
    const { stream, connection, known, settled, stalls, closed, total } = this.found;
    if (!stream.length)
      return known
        ? "No frame changed these windows."
        : "The windows are unknown: earlier frames are not in the capture.";
    const least = (column) => bytes(Math.max(Math.min(...column), 0));
    const spans = closedSpans(stalls);
    const each = spans.slice(0, MOST_SAID).map(({ from, upto }) => duration(upto - from));
    const lasted = `for ${each.join(", ")}${spans.length > MOST_SAID ? ", …" : ""}`;
    const held = stalls.length ? `closed ${count(closed, "time")}, ${lasted}` : "never closed";
    const lost = settled
      ? ` SETTINGS changed all streams' windows more than ${count(settled, "time")}: from there on they are not followed.`
      : " After missing frames, no window is known.";
    const rest = known ? "" : lost;
    const some =
      total > stream.length
        ? ` ${number(total)} changes; the lowest of every ${Math.ceil(total / stream.length)} are drawn.`
        : "";
    return `Lowest room of the ${this.sender} in stream ${this.row.stream}: ${least(stream)} in the stream's window, ${least(connection)} in the connection's; ${held}.${rest}${some}`;
  }

  /** A stall in words: whose window, how long, who opened it again. */
  stall(one) {
    const packet = (number) =>
      el(
        "button",
        {
          type: "button",
          class: "small cite inline",
          title: "Show its bytes",
          onclick: () => choosePacket(number, this.row.capture),
        },
        `${number}`,
      );
    const opener = this.sender === "server" ? "client" : "server";
    const whose =
      one.window === "stream"
        ? `stream ${one.stream_id}'s window`
        : "the connection's window, which holds all streams";
    const opened = one.opened_by
      ? [`; the ${opener} opened it again in packet `, packet(one.opened_by)]
      : "; nothing opened it again";
    return el(
      "li",
      {},
      el("b", { class: "warn" }, duration(one.seconds)),
      ` ${whose} was closed: used up in packet `,
      packet(one.first_packet),
      opened,
    );
  }

  draw() {
    this.plot?.destroy();
    this.plot = null;
    fill(this.host);
    if (!this.found?.stream.length || this.host.clientWidth < 80) return;
    const { time, stream, connection } = this.found;
    const seconds = time.map((one) => one - this.row.first_time);
    this.colours = coloursOf();
    this.plot = new uPlot(this.options(), [seconds, stream, connection], this.host);
    this.plot.over.addEventListener("click", (event) => this.click(event));
  }

  /** @returns {uPlot.Options} */
  options() {
    const { quiet, line, server, client } = this.colours;
    const font = '10.5px system-ui, "DejaVu Sans", sans-serif';
    const step = uPlot.paths.stepped({ align: 1 });
    return {
      width: this.host.clientWidth,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: () => this.bounds() },
        y: { range: (_, min, max) => [Math.min(min, 0), Math.max(max, 1) * 1.08] },
      },
      axes: [
        {
          stroke: quiet,
          font,
          size: 20,
          gap: 2,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          values: (_, splits) => splits.map((value) => axisTime(value, splits)),
        },
        {
          stroke: quiet,
          font,
          size: 62,
          gap: 4,
          grid: { stroke: line, width: 1 },
          ticks: { show: false },
          values: (_, splits) => splits.map((value) => bytes(Math.max(value, 0))),
        },
      ],
      series: [
        {},
        { stroke: server, width: 2, paths: step, points: { show: false } },
        { stroke: client, width: 1.5, dash: [4, 3], paths: step, points: { show: false } },
      ],
      hooks: { drawAxes: [(plot) => this.drawStalls(plot)] },
    };
  }

  /**
   * From the first change to the last one, and to the end of its stalls.
   * @returns {[number, number]}
   */
  bounds() {
    const { time, stalls } = this.found;
    const start = time[0] - this.row.first_time;
    const ends = stalls.map((one) => one.first_time + one.seconds - this.row.first_time);
    const end = Math.max(time[time.length - 1] - this.row.first_time, ...ends, start + 1e-6);
    return [start - (end - start) * 0.02, end + (end - start) * 0.02];
  }

  drawStalls(plot) {
    const { ctx, bbox } = plot;
    for (const one of this.found.stalls) {
      const from = plot.valToPos(one.first_time - this.row.first_time, "x", true);
      const upto = plot.valToPos(one.first_time + one.seconds - this.row.first_time, "x", true);
      ctx.fillStyle = this.colours.stall;
      ctx.fillRect(from, bbox.top, Math.max(upto - from, 3 * uPlot.pxRatio), bbox.height);
      const text = `${one.window} window closed, ${duration(one.seconds)}`;
      ctx.font = `600 ${11 * uPlot.pxRatio}px system-ui, "DejaVu Sans", sans-serif`;
      if (ctx.measureText(text).width > upto - from - 8) continue;
      ctx.fillStyle = this.colours.warn;
      ctx.textAlign = "center";
      ctx.textBaseline = "top";
      ctx.fillText(
        text,
        (from + upto) / 2,
        bbox.top + (one.window === "stream" ? 4 : 20) * uPlot.pxRatio,
      );
    }
  }

  /** Choose the packet of the change under the pointer. */
  click(event) {
    const { time, packet } = this.found;
    const far = (index) =>
      Math.abs(this.plot.valToPos(time[index] - this.row.first_time, "x") - event.offsetX);
    let best = 0;
    for (let index = 1; index < time.length; index += 1) if (far(index) < far(best)) best = index;
    if (far(best) <= NEAR) choosePacket(packet[best], this.row.capture);
  }
}
