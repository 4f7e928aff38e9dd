// A request as a command that sends it again. Pure functions.

/** Header fields that curl writes itself, from the address, the body and the connection. */
const OWN = new Set(["host", "content-length", "transfer-encoding", "connection", "keep-alive"]);
/** Fields that curl would add where the request had none. */
const ADDED = ["User-Agent", "Accept"];
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * The command for a request's record. `url` is where it went; `body` is its content as text, null if
 * there is none or it is no text, which an argument could not hold.
 * @param {WireRecord & {headers: [string, string][]}} record
 * @param {string} url
 * @param {string | null} body
 */
export function asCurl(record, url, body) {
  const fields = record.headers.filter(
    ([name]) => !name.startsWith(":") && !OWN.has(name.toLowerCase()),
  );
  const names = new Set(fields.map(([name]) => name.toLowerCase()));
  const parts = [["curl", "-N"]];
  if (/[[\]{}]/.test(url)) parts.push(["-g"]);
  if (/\/\.\.?(\/|$)/.test(url)) parts.push(["--path-as-is"]);
  if (names.has("accept-encoding")) parts.push(["--compressed"]);
  if (record.method === "HEAD") parts.push(["--head"]);
  else if (record.method !== (body === null ? "GET" : "POST"))
    parts.push(["-X", quoted(record.method)]);
  for (const [name, value] of fields)
    parts.push(["-H", quoted(value === "" ? `${name};` : `${name}: ${value}`)]);
  for (const name of ADDED)
    if (!names.has(name.toLowerCase())) parts.push(["-H", quoted(`${name}:`)]);
  if (body !== null && !names.has("content-type")) parts.push(["-H", quoted("Content-Type:")]);
  if (body !== null) parts.push(["--data-raw", quoted(body)]);
  parts.push(["--", quoted(url)]);
  return parts.map((part) => part.join(" ")).join(" \\\n  ");
}

/**
 * A text as one word of a shell (POSIX; bash, zsh and ksh where it holds control characters).
 * @param {string} text
 */
export function quoted(text) {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (!CONTROL.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  // Three octal digits at most belong to an escape, so none can take the character after it.
  const octal = (/** @type {string} */ one) =>
    `\\${one.charCodeAt(0).toString(8).padStart(3, "0")}`;
  const escaped = text.replace(/[\\']/g, "\\$&").replace(new RegExp(CONTROL, "g"), octal);
  return `$'${escaped}'`;
}
