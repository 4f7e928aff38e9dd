// The page begins here: it asks what the capture is, makes the views, and hears of news.

import { byId, el, fill, queryAll } from "./dom.js";
import { bytes, count, duration, oneLine, partOf } from "./format.js";
import { openSource } from "./source.js";
import { Connections } from "./connections.js";
import { Timeline } from "./timeline.js";
import { Gaps } from "./gaps.js";
import { Panels } from "./panels.js";
import { Bytes } from "./bytes.js";
import { Answer } from "./answer.js";
import { Reader } from "./reader.js";
import { Compare } from "./compare.js";
import { Take } from "./take.js";
import { Find } from "./find.js";
import { Keys } from "./keys.js";
import { dress, store, stored, toggleTheme } from "./theme.js";
import {
  chooseElement,
  chooseExchange,
  choosePacket,
  emit,
  linkOf,
  on,
  readLink,
  state,
} from "./store.js";

/** What is said of what was masked in the packets. */
const MASKED = { headers: "secret headers are masked", all: "secrets are masked" };

async function start() {
  dress();
  state.source = openSource();
  takeSummary(await state.source.get("summary"));
  await takePages();
  const connections = new Connections();
  const timeline = new Timeline();
  new Answer();
  new Reader();
  new Gaps();
  const panels = new Panels();
  new Bytes();
  const take = new Take(connections);
  const compare = new Compare();
  const find = new Find();
  new Keys({ connections, timeline, panels, take, compare, find, pause, theme });
  byId("theme").addEventListener("click", theme);
  byId("pause").addEventListener("click", pause);
  for (const name of ["element", "exchange"])
    on(name, () => {
      history.replaceState(null, "", linkOf());
      sayLost(null);
    });
  window.addEventListener("hashchange", () => {
    if (!follow(location.hash) && location.hash.length > 1) sayLost(location.hash);
  });
  splitters();
  noteOwnChoice();
  const link = location.hash;
  if (follow(link)) state.isOwnChoice = true;
  else {
    chooseFirst();
    if (link.length > 1) sayLost(link);
  }
  takeWays();
  document.documentElement.dataset.ready = "true";
  state.source.news(state.summary.version, takeNews, endNews, loseServer);
}

/** Get every row of the connections table, the first page first. */
async function takePages() {
  const { exchanges, pages } = state.summary;
  for (let page = 0; page * pages.exchanges < Math.max(exchanges, 1); page += 1) {
    takeRows(await state.source.get(`exchanges/${page}`));
  }
}

function takeRows(rows) {
  for (const row of rows) {
    if (!state.rows.has(row.key)) state.order.push(row.key);
    state.rows.set(row.key, row);
  }
}

function takeSummary(summary) {
  state.summary = summary;
  const { captures } = summary;
  byId("name").textContent =
    captures.length > 2 ? count(captures.length, "capture") : oneLine(summary.name, 200);
  byId("name").title = captures.map((capture) => oneLine(capture.name, 200)).join("\n");
  document.title = `${oneLine(summary.name, 80)} · wireproof`;
  const length = Math.max(summary.end - summary.start, 0);
  const { held } = summary; // a part, of which the page has no more
  const facts = [
    partOf(held?.packets, summary.packets, "packet"),
    held ? `${bytes(held.bytes)} of ${bytes(summary.bytes)}` : bytes(summary.bytes),
    partOf(held?.connections, summary.connections, "connection"),
    duration(length),
  ];
  if (summary.detailed < summary.exchanges)
    facts.push(`details of ${partOf(summary.detailed, summary.exchanges, "exchange")}`);
  byId("facts").textContent = facts.join(" · ");
  const isGoing = summary.state !== "ended";
  byId("live").hidden = !isGoing;
  byId("pause").hidden = !isGoing;
  const part = summary.progress === null ? "" : ` ${Math.round(summary.progress * 100)} %`;
  byId("live").textContent = summary.state === "live" ? "live" : `reading${part}`;
  const missed = summary.missed
    ? `${count(summary.missed, "packet")} arrived too fast to be shown`
    : null;
  state.amiss = summary.problem ?? missed;
  sayAmiss();
  byId("policy").textContent = MASKED[summary.policy] ?? "";
}

/** Say what is amiss with the capture, or with the link that was followed. */
function sayAmiss() {
  const said = state.lost ?? state.amiss ?? "";
  byId("problem").hidden = !said;
  byId("problem").textContent = said;
}

/** Take note of a link that points at nothing here; null: of another choice. */
function sayLost(hash) {
  state.lost = hash && `${oneLine(hash, 60)} points at nothing in what is shown`;
  sayAmiss();
}

// --- news ---

async function takeWays() {
  if (state.summary.state !== "ended" || state.summary.connections < 2) return;
  state.ways = await state.source.get("hops").catch(() => []);
  state.wayOf = new Map();
  state.ways.forEach((way, number) =>
    way.legs.forEach((key) => state.wayOf.set(key, { ...way, number })),
  );
  emit("ways");
}

function endNews() {
  takeWays();
  byId("live").hidden = true;
  byId("pause").hidden = true;
}

/** Say that wireproof has ended: what the page holds can still be looked at, and nothing more. */
function loseServer() {
  endNews();
  state.summary.state = "ended";
  byId("gone").hidden = false;
  emit("rows");
}

let waiting = []; // rows that came while it was paused

function takeNews({ summary, rows }) {
  if (!summary) return;
  if (state.isPaused) {
    waiting = [...waiting, ...rows];
    byId("pause").textContent = `Resume (${new Set(waiting.map((row) => row.key)).size} changed)`;
    state.later = summary;
    return;
  }
  show(summary, rows);
}

function show(summary, rows) {
  // Pages that were not full have grown; a packet's place among elements may have changed too.
  state.source.forget(
    (path) => !/^packet\//.test(path) || summary.packets - Number(path.slice(7)) < 2000,
  );
  takeSummary(summary);
  const isFirst = !state.order.length;
  takeRows(rows);
  emit("rows");
  if (isFirst || !state.current || (!state.isOwnChoice && bestOf() !== state.current))
    chooseFirst();
  else if (rows.some((row) => row.key === state.current)) emit("grown");
}

function pause() {
  if (byId("pause").hidden) return;
  state.isPaused = !state.isPaused;
  byId("pause").textContent = state.isPaused ? "Resume" : "Pause";
  byId("pause").setAttribute("aria-pressed", String(state.isPaused));
  if (!state.isPaused && state.later) {
    const rows = waiting;
    waiting = [];
    show(state.later, rows);
    state.later = null;
  }
}

// --- what is chosen ---

/** From the first click or key on, what is chosen is nobody else's affair. */
function noteOwnChoice() {
  const note = () => (state.isOwnChoice = true);
  for (const name of ["pointerdown", "keydown"])
    document.addEventListener(name, note, { once: true, capture: true });
}

function chooseFirst() {
  const best = bestOf();
  if (best) chooseExchange(best);
}

/** The exchange that is looked at first: what is most wrong, else what took longest. */
function bestOf() {
  const grave = ({ outcome }) =>
    Math.max(["ok", "note", "warning", "error"].indexOf(outcome?.severity), 0);
  const isAnswered = (row) => Number(Boolean(row.response_time));
  const better = (one, other) =>
    grave(other) - grave(one) ||
    isAnswered(other) - isAnswered(one) ||
    other.last_time - other.first_time - (one.last_time - one.first_time);
  let best = null;
  for (const row of state.rows.values()) if (!best || better(best, row) > 0) best = row;
  return best?.key ?? null;
}

/** Choose what a link points at; returns whether it is there. */
function follow(hash) {
  const link = readLink(hash);
  if (link) state.isOwnChoice = true;
  if (!link || hash === linkOf()) return Boolean(link);
  if (link.packet) {
    if (!state.current) chooseFirst();
    choosePacket(link.packet, link.capture);
    return true;
  }
  const key = state.rows.has(link.key)
    ? link.key
    : state.order.find((one) => one.startsWith(`${link.key.split(".")[0]}.`));
  if (!key) return false;
  if (link.kind) chooseElement(key, link.kind, link.row);
  else chooseExchange(key);
  return true;
}

// --- how it looks ---

function theme() {
  toggleTheme();
  emit("theme");
}

/** Borders between the parts of the page that can be dragged, or moved by the arrow keys. */
function splitters() {
  const root = document.documentElement;
  for (const node of queryAll(document, ".splitter")) {
    const { name, axis } = node.dataset;
    const set = (value) => {
      const part = `${Math.min(Math.max(value, 12), 80)}%`;
      root.style.setProperty(name, part);
      node.setAttribute("aria-valuenow", String(Math.round(parseFloat(part))));
      store(name, part);
    };
    if (stored(name)) set(parseFloat(stored(name)));
    const place = (event) => {
      const box = node.parentElement.getBoundingClientRect();
      set(
        axis === "x"
          ? (100 * (event.clientX - box.left)) / box.width
          : (100 * (event.clientY - box.top)) / box.height,
      );
    };
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      node.setPointerCapture(event.pointerId);
      node.addEventListener("pointermove", place);
    });
    for (const end of ["pointerup", "pointercancel"])
      node.addEventListener(end, () => node.removeEventListener("pointermove", place));
    node.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -4, ArrowUp: -4, ArrowRight: 4, ArrowDown: 4 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      set(parseFloat(getComputedStyle(root).getPropertyValue(name)) + step);
    });
  }
}

start().catch((error) => {
  fill(byId("connections"), el("p", { class: "empty" }, `The page cannot go on: ${error.message}`));
});
