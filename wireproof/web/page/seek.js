// Looking for a text in an exchange of a report, where no server looks: through the answers that the
// file holds, by the rules of `wireproof/web/finding.py`, which a test holds to the same places.

import { fromBase64, latin } from "./format.js";
import { state } from "./store.js";

const KINDS = [..."qrexmfktd"];
const CONTENT = [
  ...["data", "event", "id", "fields", "method", "target", "reason", "headers"],
  ...["trailers", "close_reason", "code", "summary"],
];
const MOST = 20_000; // places of a kind that are named; more are counted

/**
 * The rows that hold a text, kind by kind, packets as `p`; and how many there are. Text that begins
 * with 0x is bytes in hex, and looked for in packets alone. `goesOn` says whether anybody still asks.
 */
export async function seek(row, text, goesOn) {
  const answer = { found: {}, total: 0 };
  const take = (kind, place) => {
    answer.total += 1;
    const places = (answer.found[kind] ??= []);
    if (places.length < MOST) places.push(place);
  };
  const raw = /^0x(?:[0-9a-f]{2})+$/i.test(text);
  const wanted = text.toLowerCase();
  if (!raw) {
    for (const kind of KINDS.filter((one) => row.counts[one])) {
      for await (const found of rowsOf(row, kind, goesOn)) {
        if (holds(found, wanted)) take(kind, found.row);
      }
    }
  }
  const bytes = raw ? unhexed(text.slice(2)) : latin(new TextEncoder().encode(wanted));
  for (const packet of packetsOf()) {
    if (!goesOn()) break;
    const frame = await state.source.get(`packet/${packet}`);
    const data = latin(fromBase64(frame.data));
    if ((raw ? data : folded(data)).includes(bytes)) take("p", packet);
  }
  return answer;
}

async function* rowsOf(row, kind, goesOn) {
  const size = state.summary.pages.rows;
  for (let page = 0; page * size < row.counts[kind] && goesOn(); page += 1) {
    for (const found of (await state.source.get(`rows/${row.key}/${kind}/${page}`)).rows) {
      yield found.cut ? await state.source.get(`element/${row.key}/${kind}/${found.row}`) : found;
    }
  }
}

/** Whether what was sent of a record, or what it says in its dialect, holds a text. */
function holds({ record, said }, wanted) {
  if (record.encoding === "base64" && record.data) {
    const bytes = latin(new TextEncoder().encode(wanted));
    if (folded(latin(fromBase64(record.data))).includes(bytes)) return true;
  }
  const values = [...CONTENT.map((name) => record[name]), said];
  return values
    .flat(3)
    .some((value) => typeof value === "string" && value.toLowerCase().includes(wanted));
}

/** The numbers of the packets of the connection. */
function packetsOf() {
  const lane = state.lanes.find((one) => one.kind === "p");
  return lane ? lane.columns.packet.subarray(0, lane.length) : [];
}

const unhexed = (text) => text.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));

/** Bytes, one a character, without regard to the case of ASCII letters. */
const folded = (bytes) => bytes.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
