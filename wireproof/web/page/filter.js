// The filter of the list: words that a row must contain, and fields as `wireproof ls` has them:
// status:5xx port:8614 verdict:held method:post path:/v1/* transport:sse gap>500ms "a text".

const FIELDS = {
  status: (row, wanted) => matches(String(row.status ?? ""), wanted.replace(/x/g, "?")),
  port: (row, wanted) =>
    [row.client, row.server].some((address) => address?.endsWith(`:${wanted}`)),
  verdict: (row, wanted) =>
    row.outcome?.word === wanted || Boolean(row.outcome?.words.includes(wanted)),
  method: (row, wanted) => (row.method ?? "").toLowerCase() === wanted,
  path: (row, wanted) => matches((row.target ?? "").split("?")[0].toLowerCase(), wanted),
  transport: (row, wanted) => row.transport === wanted,
  connection: (row, wanted) => String(row.connection) === wanted,
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

/**
 * What a filter asks: tests that all have to hold, texts that the server looks for in what was
 * carried, and what is amiss in it: of that nothing is asked.
 */
export function parsed(filter) {
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
    else if (/^gap[<>]/.test(wanted)) found.amiss.push(`${part} is no time: gap>500ms, gap<2s`);
    else if (name in FIELDS) found.tests.push((row) => !value || FIELDS[name](row, value));
    else if (name && /^[a-z]+$/.test(name)) found.amiss.push(`there is no field ${name}`);
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
