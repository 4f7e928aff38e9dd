// What can be taken along of the chosen exchange: the request as a command, the display filter, a link;
// and as files, which the server writes as wireproof's commands do.

import { byId, copyButton, el, fill } from "./dom.js";
import { count, oneLine, problemOf } from "./format.js";
import { connectionFilter } from "./lanes.js";
import { asCurl } from "./curl.js";
import { captureOf, currentRow, linkOf, state } from "./store.js";

const FORMS = [
  [
    "pcapng",
    "pcapng",
    "All packets of its connection, for Wireshark and wireproof; without the keys of TLS",
  ],
  ["har", "HAR", "For DevTools, which imports it"],
  ["ndjson", "NDJSON", "The records of wireproof decode, one a line"],
  ["png", "PNG", "The timeline, as wireproof plot draws it"],
  ["svg", "SVG", "The timeline, as wireproof plot draws it"],
  ["html", "Report", "This page as one file, with this exchange alone"],
];
const POLICIES = [
  ["headers", "Mask headers that hold secrets"],
  ["all", "Mask whatever looks like a secret"],
  ["none", "Mask nothing"],
];
const MOST = 1000; // exchanges of one report

export class Take {
  constructor(connections) {
    this.connections = connections;
    this.dialog = byId("take", HTMLDialogElement);
    byId("take-open").addEventListener("click", () => this.open());
    byId("take-close").addEventListener("click", () => this.dialog.close());
    this.policy = el(
      "select",
      { "aria-label": "What is masked in the file" },
      POLICIES.map(([value, says]) => el("option", { value }, says)),
    );
    this.said = el("p", { class: "quiet", role: "status" });
  }

  async open() {
    const row = currentRow();
    if (!row || row.exchange === null) return;
    this.said.textContent = "";
    fill(
      byId("take-body"),
      el("h3", {}, "Copy"),
      el("p", { class: "takes" }, await this.copies(row)),
      this.files(row),
    );
    this.dialog.showModal();
  }

  async copies(row) {
    const place = `${location.href.replace(/[?#].*$/, "")}${linkOf()}`;
    const filter = `${connectionFilter(row.connection)} && frame.number >= ${row.first_packet} && frame.number <= ${row.last_packet}`;
    let curl = null; // what was not looked at before wireproof ended cannot be copied any more
    try {
      if (row.method) curl = await curlOf(row);
    } catch (error) {
      this.said.textContent = `cURL: ${problemOf(error)}`;
    }
    return [
      curl ? copyButton(curl, "as cURL") : null,
      copyButton(filter, "filter"),
      copyButton(place, "link"),
    ];
  }

  files(row) {
    if (state.source.isReport)
      return el(
        "p",
        { class: "quiet" },
        "Files are written by wireproof: open the capture with wireproof view.",
      );
    const shown = this.shown(row);
    const buttons = FORMS.map(([form, name, says]) => this.button(form, name, says, row.key));
    const several =
      shown.length > 1
        ? this.button(
            "html",
            `Report of the ${count(shown.length, "exchange")} in the list`,
            "This page as one file, with what the filter shows",
            shown.join(","),
          )
        : null;
    return [
      el("h3", {}, "Save"),
      el("p", {}, this.policy),
      el("p", { class: "takes" }, buttons, several),
      this.said,
    ];
  }

  /** The exchanges in the list, of the chosen one's capture: their numbers alone. */
  shown(row) {
    const keys = this.connections.visible.filter(
      (key) => captureOf(key) === row.capture && state.rows.get(key).exchange !== null,
    );
    return keys
      .slice(0, MOST)
      .map((key, index) => (index && row.capture ? key.split(":")[1] : key));
  }

  button(form, name, says, keys) {
    return el(
      "button",
      {
        type: "button",
        class: "small",
        "data-form": form,
        title: says,
        onclick: () => this.save(form, name, keys),
      },
      name,
    );
  }

  /** Have the server write a file, and hand it to the browser; say why there is none. */
  async save(form, name, keys) {
    this.said.textContent = `${name}: writing…`;
    try {
      const response = await state.source.fetch(`take/${this.policy.value}/${keys}/${form}`);
      if (!response.ok)
        throw new Error(
          response.status === 409 ? await response.text() : `no such file: ${response.status}`,
        );
      const file =
        /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ??
        `exchange.${form}`;
      const address = URL.createObjectURL(await response.blob());
      el("a", { href: address, download: file }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      this.said.textContent = `${file} is saved.`;
    } catch (error) {
      this.said.textContent = `${name}: ${oneLine(problemOf(error))}`;
    }
  }
}

/** The command that sends the request again. */
async function curlOf(row) {
  const [found] = (await state.source.get(`rows/${row.key}/q/0`)).rows;
  const request = found.cut ? await state.source.get(`element/${row.key}/q/0`) : found;
  const { record } = request;
  let body = null;
  if (row.counts.b && record.method !== "GET" && record.method !== "HEAD") {
    const sent = await state.source.get(`body/${row.key}/client`);
    if (sent.size && !sent.binary && !sent.more)
      body = sent.pieces.map(([, , text]) => text).join("");
  }
  const scheme = ["tls", "quic"].includes(record.layer) ? "https" : "http";
  const url = record.target.startsWith("/")
    ? `${scheme}://${row.host ?? row.server}${record.target}`
    : record.target;
  return asCurl(record, url, body);
}
