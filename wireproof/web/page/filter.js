// The filter of the list: words that a row must contain, and fields as `wireproof ls` has them:
// status:5xx port:8614 verdict:held method:post path:/v1/* transport:sse gap>500ms "a text".

const FIELDS = {
  status: (row, wanted) => matches(String(row.status ?? ""), wanted.replace(/x/g, "?")),
  port: (row, wanted) =>
    [row.client, row.server].some((address) => address?.endsWith(`:${wanted}`)),
  verdict: (row, wanted) => wanted.split(",").some((word) => saidOf(row).includes(word)),
  method: (row, wanted) => (row.method ?? "").toLowerCase() === wanted,
  path: (row, wanted) => matches((row.target ?? "").split("?")[0].toLowerCase(), wanted),
  transport: (row, wanted) => row.transport === wanted,
  connection: (row, wanted) => String(row.connection) === wanted,
};
/** What is no value of a field, in the words that `wireproof ls` has for it; null if it is one. */
const CHECKS = {
  status: (value) => (/^[0-9x]{3}$/.test(value) ? null : "is not a status: 404, 5xx"),
  port: (value) =>
    /^\d{1,5}$/.test(value) && value >= 1 && value <= 65535 ? null : "is not a port: 1 to 65535",
  connection: (value) => (/^\d+$/.test(value) ? null : "is not a connection: a number, from 0"),
};
const GAP = /^gap(>=?|<=?)([0-9.]+)(us|µs|ms|s)?$/;
const UNITS = { us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1 };
const PART = /"([^"]*)"?|\S+/g;

/** Whether a text is of a shape: `*` stands for any text, `?` for a character. */
function matches(text, shape) {
  const escaped = shape
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${escaped}$`).test(text);
}

/** The words of a row's verdicts. */
const saidOf = ({ outcome }) => (outcome ? [outcome.word, ...outcome.words] : []);

/**
 * What is wrong with the words by which verdicts are chosen; null if nothing is.
 * @param {string} value @param {Vocabulary | null} vocabulary @param {string[]} here
 */
function unknownVerdict(value, vocabulary, here) {
  if (!vocabulary) return null;
  const code = new RegExp(`^(?:${vocabulary.close_code})$`);
  const isKnown = (word) => !word || vocabulary.words.includes(word) || code.test(word);
  const unknown = value.split(",").find((word) => !isKnown(word));
  const some = here.length ? `; here are ${here.join(", ")}` : "";
  return unknown === undefined ? null : `'${unknown}' ${vocabulary.unknown}${some}`;
}

/**
 * What a filter asks: tests that all have to hold, texts that the server looks for in what was
 * carried, and what is amiss in it: of that nothing is asked. Verdicts are chosen by words of the
 * `vocabulary`, null until it arrives; `here` are those that the list has.
 * @param {string} filter @param {Vocabulary | null} vocabulary @param {string[]} here
 */
export function parsed(filter, vocabulary, here) {
  const amissIn = (name, value) => {
    if (!value) return null;
    if (name === "verdict") return unknownVerdict(value, vocabulary, here);
    const said = CHECKS[name]?.(value);
    return said ? `'${value}' ${said}` : null;
  };
  const found = { tests: [], texts: [], amiss: [] };
  for (const [part, quoted] of filter.matchAll(PART)) {
    if (quoted !== undefined) {
      if (quoted) found.texts.push(quoted);
      continue;
    }
    const wanted = part.toLowerCase();
    const gap = GAP.exec(wanted);
    const [name, value] = split(wanted);
    if (gap) found.tests.push(gapTest(gap));
    else if (/^gap[<>]/.test(wanted)) found.amiss.push(`${part} is not a time: gap>500ms, gap<2s`);
    else if (Object.hasOwn(FIELDS, name)) {
      const amiss = amissIn(name, value);
      if (amiss) found.amiss.push(amiss);
      else found.tests.push((row) => !value || FIELDS[name](row, value));
    } else if (/^[a-z][a-z_-]*$/.test(name))
      found.amiss.push(`there is no field ${name}: ${[...Object.keys(FIELDS), "gap"].join(", ")}`);
    else found.tests.push((row) => saidBy(row).includes(wanted));
  }
  return found;
}

function split(part) {
  const at = part.indexOf(":");
  return at < 0 || part.startsWith("/") || /\d/.test(part.slice(0, at))
    ? ["", part]
    : [part.slice(0, at), part.slice(at + 1)];
}

/** @param {string[]} gap */
function gapTest([, sign, size, unit]) {
  const limit = Number(size) * UNITS[unit ?? "s"];
  const gap = (row) => row.outcome?.longest_gap ?? 0;
  return sign.startsWith(">") ? (row) => gap(row) >= limit : (row) => gap(row) <= limit;
}

/** What all of a row says, in lower case. */
function saidBy(row) {
  const { outcome } = row;
  const said = [row.method, row.target, row.host, row.status, row.reason, row.transport, row.ended];
  return [
    ...said,
    outcome?.word,
    outcome?.end,
    row.client,
    row.server,
    row.severity,
    `c${row.connection}`,
  ]
    .join(" ")
    .toLowerCase();
}
