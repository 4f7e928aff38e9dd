// The page of a data set: distributions, and the worst exchanges, each with a link into the capture
// that it is of. The answers are those of named queries, row by row.

import { byId, el, fill } from "./dom.js";
import { count, duration, number, oneLine, problemOf } from "./format.js";
import { dress, toggleTheme } from "./theme.js";

const QUESTIONS = { streaming: "Did it stream?", ending: "How did it end?" };
const TARGETS = 10;
const TONES = { ok: "good", note: "quiet", warning: "warn", error: "bad" };

async function ask(path) {
  const response = await fetch(`answers/${path}`, { credentials: "same-origin" });
  const found = await response.json().catch(() => ({ problem: `status ${response.status}` }));
  if (!response.ok) throw new Error(found.problem);
  return found;
}

async function start() {
  dress();
  byId("theme").addEventListener("click", toggleTheme);
  document.addEventListener("keydown", (event) => {
    if (event.key === "t" && !(event.ctrlKey || event.metaKey || event.altKey)) toggleTheme();
  });
  takeSummary(await ask("summary"));
  await Promise.all([
    part("verdicts", "verdict-shares", showVerdicts),
    part("tokens", "first-token-by-target", showTokens),
    part("gaps", "longest-gaps", showGaps),
    part("worst", "worst-exchanges", showWorst),
  ]);
  document.documentElement.dataset.ready = "true";
}

/** Fill a part of the page with the rows of a query, or say why there are none. */
async function part(id, name, show) {
  const node = byId(id);
  fill(node, el("p", { class: "quiet" }, "asking…"));
  try {
    const rows = await ask(name);
    fill(node, rows.length ? show(rows) : el("p", { class: "quiet" }, "There are none."));
  } catch (error) {
    fill(node, el("p", { class: "bad", role: "alert" }, `No answer: ${problemOf(error)}`));
  }
}

function takeSummary(summary) {
  byId("name").textContent = oneLine(summary.name, 200);
  document.title = `${oneLine(summary.name, 80)} · wireproof`;
  const facts = [
    count(summary.exchanges, "exchange"),
    count(summary.captures, "capture"),
    count(summary.hosts, "host"),
  ];
  if (summary.since) facts.push(`${moment(summary.since)} to ${moment(summary.until)} UTC`);
  byId("facts").textContent = facts.join(" · ");
  if (summary.left_out) {
    const parts = count(summary.left_out, "damaged part");
    byId("problem").textContent = `${parts} left out: see the terminal`;
    byId("problem").hidden = false;
  }
}

const moment = (time) => new Date(time * 1000).toISOString().slice(0, 19).replace("T", " ");

const percent = (share) => `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;

/** A table whose columns are [title, class]; cells are nodes or text. */
function table(label, columns, rows) {
  return el(
    "table",
    { "aria-label": label },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        columns.map(([title, kind]) => el("th", { scope: "col", class: kind }, title)),
      ),
    ),
    el(
      "tbody",
      {},
      rows.map((cells) =>
        el(
          "tr",
          {},
          cells.map((cell, at) => el("td", { class: columns[at][1] }, cell)),
        ),
      ),
    ),
  );
}

/** A bar from one part of its cell to another; what it says stands beside it as text. */
function bar(kind, from, to) {
  const node = el("i", { class: `extent ${kind}`, "aria-hidden": "true" });
  node.style.setProperty("--from", `${(100 * from).toFixed(2)}%`);
  node.style.setProperty("--to", `${(100 * (1 - to)).toFixed(2)}%`);
  return el("span", { class: "track" }, node);
}

function showVerdicts(rows) {
  return Object.entries(QUESTIONS).map(([question, title]) => {
    const own = rows.filter((row) => row.question === question);
    if (!own.length) return null;
    const cells = own.map((row) => [
      el("b", { class: `word ${row.tone}` }, row.answer),
      number(row.exchanges),
      percent(row.share),
      bar(TONES[row.tone], 0, row.share),
    ]);
    return [
      el("h3", {}, title),
      table(
        title,
        [
          ["answer", "word-only"],
          ["exchanges", "number"],
          ["share", "number"],
          [el("span", { class: "offscreen" }, "as a bar"), "drawn"],
        ],
        cells,
      ),
    ];
  });
}

/** From p50 to p99 on an axis of powers; of what is no stream of tokens the first element. */
function showTokens(rows) {
  const at = axis(rows.flatMap((row) => [row.p50, row.p99]));
  const cells = rows
    .slice(0, TARGETS)
    .map((row) => [
      [
        el("span", { class: "target" }, oneLine(`${row.method ?? ""} ${row.target ?? "?"}`, 120)),
        row.unit === "token" ? null : el("span", { class: "quiet" }, ` first ${row.unit}`),
        bar("server", at(row.p50), Math.max(at(row.p99), at(row.p50) + 0.01)),
      ],
      number(row.answers),
      duration(row.p50),
      duration(row.p99),
    ]);
  const columns = [
    ["target", "said"],
    ["answers", "number"],
    ["p50", "number"],
    ["p99", "number"],
  ];
  return [
    table("First token by target", columns, cells),
    rows.length > TARGETS
      ? el(
          "p",
          { class: "quiet" },
          "The slowest; ",
          el("code", {}, "wireproof query --name first-token-by-target"),
          " has more.",
        )
      : null,
  ];
}

/** Where times stand on an axis of powers, 0 to 1. */
function axis(times) {
  const logs = times.filter((time) => time > 0).map(Math.log10);
  const least = Math.min(...logs, -3);
  const most = Math.max(...logs, least + 1);
  return (time) => (time > 0 ? (Math.log10(time) - least) / (most - least) : 0);
}

function showGaps(rows) {
  const most = Math.max(...rows.map((row) => row.exchanges));
  const cells = rows.map((row) => [
    row.up_to < 1 ? `up to ${Math.round(row.up_to * 1000)} ms` : `up to ${number(row.up_to)} s`,
    number(row.exchanges),
    bar(row.up_to > 1 ? "warn" : "server", 0, row.exchanges / most),
  ]);
  const columns = [
    ["longest gap", "said"],
    ["exchanges", "number"],
    [el("span", { class: "offscreen" }, "as a bar"), "drawn"],
  ];
  return table("Longest gap of each exchange", columns, cells);
}

function showWorst(rows) {
  const cells = rows.map((row) => [
    el("b", { class: `word ${row.severity}` }, row.answer ?? row.severity),
    place(row),
    el("span", { class: "sentence" }, oneLine(row.summary ?? "", 300)),
    row.first_token === null ? "–" : duration(row.first_token),
    duration(row.longest_gap),
    oneLine(row.host ?? "", 60),
    moment(row.start_time),
  ]);
  const columns = [
    ["answer", "word-only"],
    ["exchange", "said"],
    ["finding", "said"],
    ["first token", "number"],
    ["longest gap", "number"],
    ["host", "word-only"],
    ["began, UTC", "number"],
  ];
  const node = table("Worst exchanges", columns, cells);
  node.addEventListener("keydown", step);
  const label = { class: "wide", tabindex: "0", role: "region", "aria-label": "Rows" };
  return [elsewhere(rows), el("div", label, node)];
}

/** Of how many the captures are not at hand, and what to do about all of them at once. */
function elsewhere(rows) {
  const missing = rows.filter((row) => !row.opens).length;
  if (!missing) return null;
  return el(
    "p",
    { class: "quiet" },
    `The captures of ${number(missing)} of these ${number(rows.length)} exchanges are not where they were exported: `,
    el("code", {}, "wireproof view DATASET --captures DIR"),
    " looks in another folder.",
  );
}

/** A link into the capture, or where that is and what to do. */
function place(row) {
  const words = oneLine(`${row.method ?? "?"} ${row.target ?? row.transport}`, 120);
  const status = row.status === null ? "no response" : String(row.status);
  if (row.opens)
    return [
      el("a", { class: "target go", href: row.opens }, words),
      el("span", { class: "quiet" }, ` ${status}`),
    ];
  return [
    el("span", { class: "target" }, words),
    el("span", { class: "quiet" }, ` ${status}`),
    el(
      "details",
      { class: "elsewhere" },
      el("summary", { class: "go" }, "its capture is not here"),
      el("p", {}, oneLine(row.to_do, 2000)),
      el("code", {}, oneLine(row.command, 2000)),
    ),
  ];
}

/** The arrow keys go from one exchange to the next. */
function step(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const links = [...event.currentTarget.querySelectorAll(".go")];
  const at = links.indexOf(document.activeElement);
  if (!by || at < 0) return;
  event.preventDefault();
  links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
}

start().catch((error) => {
  byId("problem").hidden = false;
  byId("problem").textContent = `The page cannot go on: ${problemOf(error)}`;
});
