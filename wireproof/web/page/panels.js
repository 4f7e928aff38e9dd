// The panels of the chosen exchange, named as people know them: Headers, EventStream, Messages,
// Response, Handshake, Diagnostics.

import { copyButton, el, fill, byId, oneAtATime, queryAll } from "./dom.js";
import { bytes, clock, duration, number, oneLine, problemOf, span } from "./format.js";
import { ElementTable, PacketTable, empty } from "./elements.js";
import { connectionFilter } from "./lanes.js";
import { BodyPanel } from "./response.js";
import { StreamList } from "./streams.js";
import { WindowChart } from "./windows.js";
import { chooseElement, currentRow, emit, isWire, on, state, wireOf, within } from "./store.js";

/**
 * What a panel holds: `update` shows what there is now, `mark` what is chosen.
 * @typedef {{node: Node, list?: VirtualRows, update?: () => any, mark?: () => void}} View
 * @typedef {import("./rows.js").VirtualRows} VirtualRows
 */

/** Which panel shows a kind of element. */
const HOMES = {
  y: "records",
  a: "http2",
  q: "headers",
  r: "headers",
  k: "chunks",
  t: "data",
  h: "dataframes",
  s: "headers",
  e: "events",
  x: "elements",
  f: "frames",
  m: "messages",
  d: "diagnostics",
  g: "diagnostics",
  b: "response",
};

/** The panels that an exchange has: [name, title, how many]. */
function panelsOf(row) {
  const { e, m, f, k, t, h, x, d, b, g } = row.counts;
  const own =
    (state.rows.get(within(row.capture, `${row.connection}.n`))?.counts.d ?? 0) *
    (row.exchange === null ? 0 : 1);
  const faults = (d ?? 0) + (g ?? 0) + own;
  return [
    ["headers", "Headers", 0],
    e && ["events", "EventStream", e],
    x && ["elements", "Elements", x],
    (m || f) && ["messages", "Messages", m ?? 0],
    f && ["frames", "Frames", f],
    row.handshake && ["handshake", "Handshake", 0],
    (k || b || h) && !m && ["response", "Response", 0],
    row.method &&
      row.method !== "GET" &&
      row.method !== "HEAD" &&
      (b || k) && ["payload", "Payload", 0],
    k && ["chunks", "Chunks", row.chunks || k],
    t && ["data", "Data", t],
    h && ["dataframes", "DATA frames", h],
    row.stream !== null && row.wire?.a && ["windows", "Windows", 0],
    row.wire?.a && ["streams", "Streams", 0],
    row.wire?.a && ["http2", "HTTP/2", row.wire.a],
    row.wire?.y && ["records", "TLS records", row.wire.y],
    row.connection !== null && ["packets", "Packets", 0],
    ["diagnostics", "Rules", faults],
  ].filter(Boolean);
}

/** What is opened first: what people look for in such an exchange. */
function firstOf(panels, row) {
  const names = panels.map(([name]) => name);
  if (["connection", "tls"].includes(row.transport)) return "diagnostics";
  if (names.includes("frames") && state.verdicts.some(isAboutFrames)) return "frames";
  return ["events", "elements", "messages", "chunks", "response", "headers"].find((name) =>
    names.includes(name),
  );
}

/** Whether what is wrong is in the frames of a WebSocket: pings and closing frames are no messages. */
const isAboutFrames = ({ record }) =>
  record.question === "websocket" && ["warning", "error"].includes(record.severity);

/** How many elements are behind a tab. @param {number} some */
const badge = (some) => (some ? el("span", { class: "some" }, number(some)) : null);

export class Panels {
  constructor() {
    this.tabs = byId("tabs");
    this.host = byId("panel");
    /** @type {View?} */
    this.open = null; // the view in the panel
    this.isWanted = false; // whether somebody chose it
    on("exchange", () => this.choose());
    on("element", () => this.follow());
    on("verdicts", () => this.lead());
    on("cited", () => this.open?.list?.redraw());
    on(
      "path",
      (kind) =>
        this.open instanceof ElementTable && this.open.kind === kind && this.open.followPath(),
    );
    on("lanes", () => this.open?.list && this.open.update());
    this.refresh = oneAtATime(() => this.fillPanel());
    on("grown", () => this.grow());
    this.tabs.addEventListener("keydown", (event) => this.key(event));
    this.choose();
  }

  choose() {
    const row = currentRow();
    if (!row) {
      fill(this.tabs);
      fill(this.host, empty(state.order.length ? "Choose an exchange above." : ""));
      this.open = null;
      return;
    }
    if (row.outlined) {
      this.draw([]);
      fill(this.host);
      this.open = null;
      return;
    }
    const panels = panelsOf(row);
    const isThere = panels.some(([name]) => name === state.tab);
    this.draw(panels);
    const keeps = isThere && this.isWanted && this.shownOf === row.transport;
    this.openPanel(keeps ? state.tab : firstOf(panels, row));
    this.shownOf = row.transport;
  }

  /** Open the panel in which stands what is wrong, unless somebody has chosen what to look at. */
  lead() {
    const row = currentRow();
    const best = row && !row.outlined && firstOf(panelsOf(row), row);
    if (best === "frames" && !this.isWanted && !state.element && state.tab !== best)
      this.openPanel(best);
  }

  grow() {
    const row = currentRow();
    if (!row) return;
    const panels = panelsOf(row);
    this.draw(panels);
    const best = firstOf(panels, row);
    // While an exchange begins, the panel that people look for appears only with its first element.
    if (!this.open || (!this.isWanted && best !== state.tab)) this.openPanel(best);
    else this.refresh();
  }

  /** Draw the tabs. Those that stay keep their buttons, so that no click is lost between two. */
  draw(panels) {
    const before = this.tabs.childElementCount ? this.names.join() : "";
    this.names = panels.map(([name]) => name);
    if (this.names.join() === before) {
      panels.forEach(([, title, some], at) => fill(this.tabs.children[at], title, badge(some)));
      return;
    }
    fill(
      this.tabs,
      panels.map(([name, title, some]) =>
        el(
          "button",
          {
            class: "tab",
            role: "tab",
            type: "button",
            id: `tab-${name}`,
            "aria-controls": "panel",
            "aria-selected": String(name === state.tab),
            tabindex: name === state.tab ? "0" : "-1",
            onclick: () => this.show(name),
          },
          title,
          badge(some),
        ),
      ),
    );
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const index = (this.names.indexOf(state.tab) + step + this.names.length) % this.names.length;
    this.show(this.names[index]);
    byId(`tab-${this.names[index]}`).focus();
  }

  /** The next panel, for a key. */
  step(step) {
    if (!this.names?.length) return;
    this.show(
      this.names[(this.names.indexOf(state.tab) + step + this.names.length) % this.names.length],
    );
  }

  /** Show the panel that somebody wants. */
  show(name) {
    this.isWanted = true;
    this.openPanel(name);
  }

  openPanel(name) {
    state.tab = name;
    for (const tab of this.tabs.querySelectorAll("button")) {
      const isIt = tab.id === `tab-${name}`;
      tab.setAttribute("aria-selected", String(isIt));
      tab.tabIndex = isIt ? 0 : -1;
    }
    this.host.setAttribute("aria-labelledby", `tab-${name}`);
    this.open = this.view(name);
    fill(this.host, this.open.node);
    this.fillPanel();
    emit("tab");
  }

  /** Have the open view show what there is; say why if it cannot. */
  async fillPanel() {
    const { open } = this;
    try {
      await open?.update?.();
    } catch (error) {
      if (open === this.open)
        fill(this.host, empty(`There is nothing to show: ${problemOf(error)}.`));
    }
  }

  /** @returns {View} */
  view(name) {
    const row = currentRow();
    const kind = {
      events: "e",
      elements: "x",
      messages: "m",
      frames: "f",
      chunks: "k",
      data: "t",
      dataframes: "h",
    }[name];
    if (kind) return new ElementTable(kind, row.key);
    if (name === "records") return new ElementTable("y", wireOf(row));
    if (name === "http2") return new ElementTable("a", wireOf(row));
    if (name === "streams") return new StreamList(row);
    if (name === "windows") return new WindowChart(row);
    if (name === "packets") return new PacketTable();
    if (name === "response") return new BodyPanel(row.key, "server", row.first_time);
    if (name === "payload") return new BodyPanel(row.key, "client", row.first_time);
    if (name === "handshake") return { node: handshake(row.handshake) };
    if (name === "diagnostics") return new Diagnostics(row);
    return new Headers(row);
  }

  /** Open the panel of the chosen element, and mark it there. */
  follow() {
    const chosen = state.element;
    if (chosen && (isWire(chosen.key) || chosen.key === state.current) && this.names?.length) {
      const home = HOMES[chosen.kind];
      const shows =
        this.open instanceof ElementTable ? this.open.kind === chosen.kind : state.tab === home;
      if (!shows && this.names.includes(home)) this.show(home);
    }
    this.open?.mark?.();
  }

  /** Move the choice in the list of the panel. */
  move(step) {
    this.open?.list?.move(step);
  }
}

/** General facts, then the fields of both heads. */
class Headers {
  constructor(row) {
    this.row = row;
    this.node = el("div", { class: "facts", tabindex: "0" });
  }

  async update() {
    const { key, counts } = this.row;
    const ask = async (kind) => {
      if (!counts[kind]) return [];
      return (await state.source.get(`rows/${key}/${kind}/0`)).rows;
    };
    const [requests, responses] = await Promise.all([ask("q"), ask("r")]);
    const row = state.rows.get(key) ?? this.row;
    fill(
      this.node,
      section("General", general(row)),
      section("Timing", timing(row)),
      row.tls ? section("TLS", secured(row.tls)) : null,
      responses.map((found) => head(found, "Response headers")),
      requests.map((found) => head(found, "Request headers")),
    );
  }
}

const section = (title, facts, ...beside) => [
  el("h3", {}, title, ...beside),
  el(
    "dl",
    {},
    facts
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
  ),
];

function general(row) {
  const target = row.target ?? "";
  const url = row.host && target.startsWith("/") ? `http://${row.host}${target}` : target;
  const whole = row.is_whole === false ? "bad" : "";
  return [
    ["Request URL", oneLine(url, 2000)],
    ["Method", row.method && oneLine(row.method)],
    ["Status", row.status && `${row.status} ${oneLine(row.reason ?? "")}`],
    ["Transport", `${row.transport}${row.framing ? `, framed by ${row.framing}` : ""}`],
    ["Content coding", row.content_encoding],
    ["Stream", row.dialect && [row.dialect, row.shared].filter(Boolean).join(": ")],
    [
      "Body",
      row.size
        ? `${bytes(row.size)} on the wire${row.decoded_size ? `, ${bytes(row.decoded_size)} of content` : ""}`
        : null,
    ],
    ["Ended", row.ended && el("span", { class: whole }, row.ended)],
    ["Connection", row.connection === null ? null : connectionFilter(row.connection)],
    ["Packets", row.first_packet ? span(row.first_packet, row.last_packet) : null],
  ];
}

/** What is known of the TLS that carried it. */
function secured(tls) {
  return [
    ["Version", tls.version],
    ["Cipher", tls.cipher],
    ["Server name", tls.sni && oneLine(tls.sni, 300)],
    ["Protocol (ALPN)", tls.alpn && oneLine(tls.alpn, 100)],
    ["Decrypted", tls.decrypted],
    ["Why not", tls.reason && oneLine(tls.reason, 600)],
  ];
}

/** The moments people measure, on the wire's clock: seconds after the request's last byte. */
function timing(row) {
  const after = (time) =>
    time && row.request_time ? `${duration(time - row.request_time)} after the request` : null;
  return [
    ["Request sent", row.request_time && `${clock(row.request_time)} UTC`],
    ["First byte of response", after(row.response_time)],
    ["First of the body", after(row.first_body_time)],
    ["Last byte", after(row.last_time)],
  ];
}

function head(found, title) {
  const { record } = found;
  const button = el(
    "button",
    {
      type: "button",
      class: "small",
      onclick: () => chooseElement(found.key, found.kind, found.row),
    },
    "Bytes",
  );
  const line =
    found.kind === "q"
      ? `${record.method} ${record.target} ${record.version}`
      : `${record.version} ${record.status} ${record.reason}`;
  const fields = record.headers.map(([name, value]) => [
    oneLine(name, 200),
    [oneLine(value, 4000), " ", copyButton(value, "value")],
  ]);
  return section(title, [["", el("code", {}, oneLine(line, 2000))], ...fields], button);
}

function handshake(facts) {
  const verdict = facts.verified
    ? el("p", { class: "verdict good" }, "✓ Verified: the accept value answers the key.")
    : el(
        "p",
        { class: "verdict bad" },
        "✗ Not verified: the accept value does not answer the key.",
      );
  const shown = (value) => (value === null ? null : oneLine(value, 2000));
  return el(
    "div",
    { class: "facts", tabindex: "0" },
    verdict,
    section("Opening handshake (RFC 6455 section 4)", [
      ["Sec-WebSocket-Key", shown(facts.key)],
      ["Sec-WebSocket-Accept", shown(facts.accept)],
      [
        "Expected accept",
        facts.expected &&
          `${facts.expected}  = base64(sha1(key + 258EAFA5-E914-47DA-95CA-C5AB0DC85B11))`,
      ],
      ["Version", shown(facts.version)],
      ["Extensions offered", shown(facts.offered_extensions)],
      ["Extensions agreed", shown(facts.extensions) ?? "none"],
      ["Subprotocols offered", shown(facts.offered_subprotocols)],
      ["Subprotocol agreed", shown(facts.subprotocol) ?? "none"],
    ]),
  );
}

/** Faults of the exchange, of its connection, and of the file. */
class Diagnostics {
  constructor(row) {
    this.row = row;
    this.node = el("div", {
      class: "faults",
      tabindex: "0",
      role: "group",
      "aria-label": "Diagnostics",
    });
  }

  async update() {
    const { key, connection, capture } = this.row;
    const keys = [
      ...new Set([key, within(capture, `${connection}.n`), within(capture, "n.n")]),
    ].filter((one) => state.rows.has(one));
    const found = [];
    for (const one of keys) {
      for (const kind of ["d", "g"]) {
        if (!state.rows.get(one).counts[kind]) continue;
        const answer = await state.source.get(`rows/${one}/${kind}/0`);
        found.push(...answer.rows);
        if (answer.total > answer.rows.length) this.more = answer.total - answer.rows.length;
      }
    }
    found.sort((one, other) => one.record.last_packet - other.record.last_packet);
    const answered = state.rows.get(key)?.outcome
      ? " Whether it streamed stands above the timeline."
      : "";
    if (!found.length) fill(this.node, empty(`No rule of a protocol is broken here.${answered}`));
    else
      fill(
        this.node,
        el("div", { role: "list" }, found.map(fault)),
        this.more ? empty(`${number(this.more)} more of them are not listed.`) : null,
      );
    this.mark();
  }

  mark() {
    const { element } = state;
    for (const node of queryAll(this.node, ".fault")) {
      const isIt = element && node.dataset.id === `${element.key}/${element.kind}${element.row}`;
      node.classList.toggle("chosen", Boolean(isIt));
    }
  }
}

function fault(found) {
  const { record } = found;
  const isGap = found.kind === "g";
  const severity = isGap ? "warning" : record.severity;
  const what = isGap
    ? `${number(record.missing)} bytes of the ${record.sender}'s stream are not in the capture`
    : record.summary;
  const packets =
    record.last_packet > 0
      ? `packet ${span(record.first_packet, record.last_packet)}`
      : "the capture file";
  return el(
    "div",
    {
      class: `fault ${severity}`,
      role: "listitem",
      "data-id": `${found.key}/${found.kind}${found.row}`,
    },
    el(
      "button",
      {
        type: "button",
        class: "plain",
        onclick: () => chooseElement(found.key, found.kind, found.row),
      },
      el("span", { class: `count ${severity}` }, severity),
      el("span", { class: "what" }, oneLine(what, 1000)),
    ),
    el(
      "div",
      { class: "rule" },
      [isGap ? "gap" : record.code, record.reference, packets].filter(Boolean).join(" · "),
      found.filter ? copyButton(found.filter, "filter") : null,
    ),
  );
}
