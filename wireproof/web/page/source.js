// Where answers come from: the server, path by path, or the report itself, which holds the very
// same answers. Nobody else knows which of the two it is.

import { unpacked } from "./columns.js";
import { fromBase64 } from "./format.js";

export const GONE = "wireproof has ended, and this was not loaded before";
/** What is asked for is not in the capture: a link may name anything. */
export class Missing extends Error {}

const KEPT = 400; // answers in memory; the least recently used goes first

/** Answers of the server that serves this page. */
class ServerSource {
  constructor() {
    this.isReport = false;
    this.cache = new Map();
    this.isGone = false; // whether wireproof has ended, and with it whatever was not fetched
    this.lost = () => {};
  }

  /** Take note that nobody answers any more. */
  lose() {
    if (this.isGone) return;
    this.isGone = true;
    this.events?.close();
    this.lost();
  }

  /** Get an answer. What may still grow is asked for anew after `forget`. */
  get(path) {
    const known = this.cache.get(path);
    if (known) {
      this.cache.delete(path);
      this.cache.set(path, known);
      return known;
    }
    if (this.isGone) return Promise.reject(new Error(GONE));
    const asked = this.ask(path);
    asked.catch(() => this.cache.delete(path));
    this.cache.set(path, asked);
    if (this.cache.size > KEPT) this.cache.delete(this.cache.keys().next().value);
    return asked;
  }

  async ask(path) {
    const response = await this.fetch(`answers/${path}`);
    const said = `no answer to ${path}: ${response.status}`;
    if (response.status === 404) throw new Missing(said);
    if (!response.ok) throw new Error(said);
    return response.json();
  }

  /** Fetch from the server, and take note if it is gone. @param {string} address */
  async fetch(address) {
    try {
      return await fetch(address, { credentials: "same-origin" });
    } catch {
      this.lose();
      throw new Error(GONE);
    }
  }

  /** Drop the answers that growth has made old. */
  forget(isOld) {
    for (const path of [...this.cache.keys()]) if (isOld(path)) this.cache.delete(path);
  }

  /**
   * Call `take` with each event of news after `version`, `end` when the capture has ended, and `lost`
   * when wireproof has.
   */
  news(version, take, end, lost) {
    this.lost = lost;
    if (this.isGone) return lost();
    const events = (this.events = new EventSource(`news?since=${version}`));
    events.onmessage = (event) => take(JSON.parse(event.data));
    events.addEventListener("end", () => {
      events.close();
      end();
      // Nothing is heard any more: who comes back to the page has it look whether wireproof is there.
      window.addEventListener("focus", () => this.look());
    });
    // A server that is there answers, and its news are taken up again; one that is not, does not.
    events.onerror = () => this.look();
    return undefined;
  }

  /** Look whether wireproof still answers. */
  look() {
    if (!this.isGone) this.ask("summary").catch(() => this.lose());
  }
}

/** Answers that lie in the page, in bundles that are compressed each by itself. */
class ReportSource {
  constructor(bundles) {
    this.isReport = true;
    this.bundles = bundles;
    this.open = new Map();
    this.parts = partsOf(Object.keys(bundles));
  }

  async get(path) {
    const name = this.bundleOf(path);
    if (!this.open.has(name)) {
      if (this.open.size > 64) this.open.delete(this.open.keys().next().value);
      this.open.set(name, this.unpack(name));
    }
    const answers = await this.open.get(name);
    if (!answers.has(path)) throw new Missing(`the report holds no ${path}`);
    return answers.get(path);
  }

  /** The bundle that holds a path: its own, if there is one, else that of its exchange. */
  bundleOf(path) {
    const own = ownBundle(path);
    if (this.has(own)) return this.partOf(own, [Number(path.slice(path.lastIndexOf("/") + 1))]);
    const { name, place } = sharedBundle(path);
    return this.partOf(name, place);
  }

  has(name) {
    return Object.hasOwn(this.bundles, name) || this.parts.has(name);
  }

  /** The part of a bundle that has a place: the last one that begins with it or before it. */
  partOf(name, place) {
    const parts = this.parts.get(name) ?? [];
    const part = parts.filter(({ place: first }) => isUpTo(first, place)).at(-1);
    return part ? part.name : name;
  }

  async unpack(name) {
    if (!Object.hasOwn(this.bundles, name)) return new Map();
    const packed = new Blob([fromBase64(this.bundles[name])]).stream();
    const stream = packed.pipeThrough(new DecompressionStream("gzip"));
    return unpacked(new Uint8Array(await new Response(stream).arrayBuffer()));
  }

  forget() {}

  news(_version, _take, end) {
    end();
  }
}

/**
 * The bundle that a path has for itself and its neighbours: 64 share one, or 512 packets.
 * `wireproof/web/paths.py` says the same.
 */
function ownBundle(path) {
  if (path.startsWith("roundtrips/")) return path;
  const size = path.startsWith("packet/") ? 512 : 64;
  return path.replace(/(?<=\/)\d+$/, (last) => `${Math.floor(Number(last) / size)}*`);
}

/** The bundle that a path shares with others about 16 connections, and its place there. */
function sharedBundle(path) {
  const [, connection, exchange] = /^[a-z]+\/(n|\d+)(?:\.(\d+))?/.exec(path) ?? [];
  const near = connection === "n" ? "n" : Math.floor(Number(connection) / 16);
  const name = `of/${near}.${Math.floor(Number(exchange ?? 0) / 64)}*`;
  return { name, place: [Number(connection), Number(exchange ?? -1)] };
}

/** Whether a place is another one or before it. */
function isUpTo(place, other) {
  const at = place.findIndex((number, index) => number !== other[index]);
  return at < 0 || place[at] < other[at];
}

/**
 * Where further parts of bundles begin, in their order: `packet/0*64` with packet 64, `of/0.0*3.2`
 * with exchange 2 of connection 3, and `of/0.0*3` with that connection.
 */
function partsOf(names) {
  const parts = new Map();
  for (const name of names) {
    const [, bundle, first, exchange] = /^(.*\*)(\d+)(?:\.(\d+))?$/.exec(name) ?? [];
    if (!bundle) continue;
    const place = bundle.startsWith("of/")
      ? [Number(first), Number(exchange ?? -1)]
      : [Number(first)];
    if (!parts.has(bundle)) parts.set(bundle, []);
    parts.get(bundle).push({ name, place });
  }
  return parts;
}

export function openSource() {
  const held = document.getElementById("report");
  return held ? new ReportSource(JSON.parse(held.textContent)) : new ServerSource();
}
