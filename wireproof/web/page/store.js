// What is shown now, and who wants to know when that changes. No view calls another: each changes
// the state here and redraws itself when it hears that the state has changed.

export const state = {
  source: null,
  summary: null,
  rows: new Map(), // of the connections table, by key
  order: [], // keys, in order of the first record
  current: null, // the key of the chosen exchange
  element: null, // {key, kind, row}: the chosen element
  packet: null, // the number of the packet that is shown
  lanes: [], // of the chosen exchange, as far as they are loaded
  tab: null, // the panel that is open
  isPaused: false, // whether news wait
};

const listeners = new Map();

/** Call `listener` when something of this name happens. */
export function on(name, listener) {
  if (!listeners.has(name)) listeners.set(name, []);
  listeners.get(name).push(listener);
}

export function emit(name, detail) {
  for (const listener of listeners.get(name) ?? []) listener(detail);
}

/** The row of the chosen exchange. */
export const currentRow = () => state.rows.get(state.current) ?? null;

/** Choose an exchange; nothing of it is chosen yet. */
export function chooseExchange(key) {
  if (key === state.current) return;
  state.current = key;
  state.element = null;
  state.packet = null;
  emit("exchange");
  emit("element");
}

/** Choose an element of any exchange; its bytes are shown. */
export function chooseElement(key, kind, row) {
  if (key !== state.current) {
    state.current = key;
    emit("exchange");
  }
  state.element = { key, kind, row };
  state.packet = null;
  emit("element");
}

/** Choose a packet by itself. */
export function choosePacket(packet) {
  state.element = null;
  state.packet = packet;
  emit("element");
}

// Links: #c0/e3 is event 3 of exchange 0 of connection 0; #c0.2/e3 of exchange 2; #p12 packet 12.
export function linkOf() {
  if (state.element) return `#${connectionPart(state.element.key)}/${state.element.kind}${state.element.row}`;
  if (state.packet) return `#p${state.packet}`;
  return state.current ? `#${connectionPart(state.current)}` : "#";
}

const connectionPart = (key) => `c${key.endsWith(".0") ? key.slice(0, -2) : key}`;

/** What a link points at: {key, kind, row}, {packet} or null. */
export function readLink(hash) {
  const packet = /^#p([1-9]\d{0,8})$/.exec(hash);
  if (packet) return { packet: Number(packet[1]) };
  const found = /^#c(n|\d{1,9})(?:\.(n|\d{1,9}))?(?:\/([qrktbexfmgd])(\d{1,9}))?$/.exec(hash);
  if (!found) return null;
  const key = `${found[1]}.${found[2] ?? "0"}`;
  return found[3] ? { key, kind: found[3], row: Number(found[4]) } : { key };
}
