// How numbers and text from the wire are shown. Pure functions.

const UNITS = ["B", "kB", "MB", "GB"];

/**
 * `420 B`, `1.2 kB`: as DevTools writes sizes, 1 kB being 1,000 bytes.
 * @param {number} size
 */
export function bytes(size) {
  let unit = 0;
  let value = size;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/**
 * `12 µs`, `10.4 ms`, `1.250 s` as the tables have them; `3 min 5 s`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size < 0.0009995) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (size < 0.99995) return `${(seconds * 1e3).toFixed(1)} ms`;
  if (size < 59.95) return `${seconds.toFixed(size < 9.9995 ? 3 : 1)} s`;
  const whole = Math.round(seconds);
  if (size < 3600) return `${Math.trunc(whole / 60)} min ${Math.abs(whole % 60)} s`;
  return `${Math.trunc(whole / 3600)} h ${Math.trunc(Math.abs(whole % 3600) / 60)} min`;
}

/**
 * Seconds since a start, to the microsecond, as Wireshark's time column.
 * @param {number} time @param {number} start
 */
export const since = (time, start) => (time - start).toFixed(6);

/**
 * The time of day with microseconds, in UTC.
 * @param {number} time
 */
export function clock(time) {
  const whole = Math.floor(time);
  const micro = Math.min(Math.round((time - whole) * 1e6), 999999);
  if (Math.abs(whole) > 8.64e12) return "out of range"; // a Date holds no more (ECMA-262)
  return `${new Date(whole * 1000).toISOString().slice(11, 19)}.${String(micro).padStart(6, "0")}`;
}

/** @param {number} value */
export const number = (value) => value.toLocaleString("en-US");

/** @param {number} value @param {string} thing */
export const count = (value, thing) => `${number(value)} ${thing}${value === 1 ? "" : "s"}`;

/**
 * `74 of 59,888 packets`; of all of them how many they are.
 * @param {number | undefined} part @param {number} whole @param {string} thing
 */
export const partOf = (part, whole, thing) =>
  part === undefined || part === whole
    ? count(whole, thing)
    : `${number(part)} of ${count(whole, thing)}`;

/** @param {number} first @param {number} last */
export const span = (first, last) => (first === last ? String(first) : `${first}–${last}`);

/**
 * An offset in a frame as Wireshark's bytes pane writes it.
 * @param {number} value @param {number} digits
 */
export const hex = (value, digits) => value.toString(16).padStart(digits, "0");

// What would print as nothing, or turn the line around, or look like the end of it: controls,
// direction marks, separators, byte order mark, tags. Each is shown as an escape.
const HIDDEN =
  /[\p{Cc}\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
/** @type {{[character: string]: string}} */
const NAMED = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Text from the wire in one line: what does not print as itself is escaped.
 * @param {string} text
 */
export function oneLine(text, most = 600) {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replace(HIDDEN, escaped);
}

/**
 * Text from the wire as it was laid out: line ends and tabs stay, all else is escaped.
 * @param {string} text
 */
export const asText = (text) =>
  text.replace(HIDDEN, (/** @type {string} */ found) =>
    found === "\n" || found === "\t" ? found : escaped(found),
  );

/** @param {string} found */
function escaped(found) {
  const code = found.codePointAt(0) ?? 0;
  if (NAMED[found]) return NAMED[found];
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
}

/**
 * The bytes of a base64 text.
 * @param {string} text
 */
export function fromBase64(text) {
  const decoded = atob(text);
  const found = new Uint8Array(decoded.length);
  for (let index = 0; index < decoded.length; index += 1) found[index] = decoded.charCodeAt(index);
  return found;
}

/**
 * Bytes as text of as many characters.
 * @param {Uint8Array} bytes
 */
export function latin(bytes) {
  const pieces = [];
  for (let start = 0; start < bytes.length; start += 4096)
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 4096)));
  return pieces.join("");
}

/**
 * A record's data as text: bytes that are none in hex.
 * @param {{data?: string | null, encoding?: string}} record
 */
export function dataText(record, most = 600) {
  if (record.data === null || record.data === undefined) return "";
  if (record.encoding !== "base64") return record.data;
  const found = fromBase64(record.data.slice(0, Math.ceil(most / 3) * 4));
  return [...found].map((byte) => hex(byte, 2)).join(" ");
}

/**
 * JSON laid out, or null if the text is none.
 * @param {string} text
 */
export function prettyJson(text) {
  const first = text.trimStart()[0];
  if (first !== "{" && first !== "[") return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/**
 * The value below which a part of sorted numbers lies: the nearest rank.
 * @param {ArrayLike<number>} sorted @param {number} part
 */
export function percentile(sorted, part) {
  if (!sorted.length) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))];
}

/**
 * What an error says; anything may be thrown.
 * @param {unknown} error
 */
export const problemOf = (error) => (error instanceof Error ? error.message : String(error));
