// Answers that are written as columns, as `wireproof/web/columns.py` says, and what they were before.

const TICKS = 2 ** 22; // in a second

/** The answers of a bundle, by their paths; `data` is its inflated bytes. */
export function unpacked(data) {
  const end = data.indexOf(10);
  const { count, paths, answers, texts } = JSON.parse(
    new TextDecoder().decode(data.subarray(0, end)),
  );
  const columns = new Columns(texts, data.subarray(end + 1));
  const names = columns.values(paths, count);
  const found = columns.values(answers, count);
  return new Map(names.map((name, index) => [name, found[index]]));
}

class Columns {
  constructor(texts, bytes) {
    this.texts = texts;
    this.bytes = bytes; // those that are still to be given out, in the order of the columns
    this.at = 0;
  }

  /** The values of a column, which are `count`. Columns are read in the order of their writing. */
  values(column, count) {
    const kind = Object.keys(column)[0];
    return this[kind](column, count);
  }

  same({ same }, count) {
    return new Array(count).fill(same);
  }

  raw({ raw }) {
    return raw;
  }

  steps({ steps }) {
    let value = 0;
    return steps.map((step) => (value += step));
  }

  ticks({ ticks }, count) {
    return this.values(ticks, count).map((tick) => tick / TICKS);
  }

  text({ text }, count) {
    return this.values(text, count).map((place) => this.texts[place]);
  }

  around({ around, numbers }, count) {
    const columns = numbers.map((column) => this.values(column, count));
    return Array.from({ length: count }, (_, index) =>
      around.map((text, place) => (place ? columns[place - 1][index] + text : text)).join(""),
    );
  }

  /** Bytes are base64 in an answer. */
  binary({ binary }, count) {
    return this.values(binary, count).map((size) =>
      base64(this.bytes.subarray(this.at, (this.at += size))),
    );
  }

  fields({ fields }, count) {
    const found = Array.from({ length: count }, () => ({}));
    for (const [name, column] of Object.entries(fields)) {
      const values = this.values(column, count);
      for (let index = 0; index < count; index += 1) found[index][name] = values[index];
    }
    return found;
  }

  places({ places }, count) {
    const columns = places.map((column) => this.values(column, count));
    return Array.from({ length: count }, (_, index) => columns.map((column) => column[index]));
  }

  sizes({ sizes, items }, count) {
    const lengths = this.values(sizes, count);
    const all = this.values(
      items,
      lengths.reduce((sum, length) => sum + length, 0),
    );
    let at = 0;
    return lengths.map((length) => all.slice(at, (at += length)));
  }

  which({ which, of }, count) {
    const groups = of.map(([size, column]) => this.values(column, size));
    const next = groups.map(() => 0);
    return this.values(which, count).map((group) => groups[group][next[group]++]);
  }

  few({ few, of }, count) {
    return this.values(few, count).map((place) => of[place]);
  }

  held({ held, spans: [number, column] }, count) {
    const [at, start, size, which] = held.map((one) => this.values(one, count));
    const spans = this.values(column, number).map((lanes) => lanes.map(placed));
    return which.map((place, index) => partsIn(spans[place], at[index], start[index], size[index]));
  }
}

/** The elements of a lane, of each its row, and where it begins, what it frames does, that ends,
 * and it ends: they are written by their differences. */
function placed({ row, offset, framed, whole, ...lane }) {
  const elements = (framed ?? whole).map(([step, gap, before, inner, after]) => {
    const start = offset + gap;
    const first = framed ? start + before : start;
    const last = first + (framed ? inner : before);
    offset = framed ? last + after : last;
    row += step;
    return [row, start, first, last, offset];
  });
  return { ...lane, elements };
}

/**
 * What lies in a run of bytes, as `wireproof/web/parts.py` tells it: the parts of the elements of
 * some lanes, as far as they are in it, by their places in the frame.
 */
function partsIn(lanes, at, start, size) {
  const found = [];
  for (const { key, kind, layer, elements } of lanes)
    for (let index = firstPast(elements, start); index < elements.length; index += 1) {
      const [row, ...borders] = elements[index];
      if (borders[0] >= start + size) break;
      for (const [place, name] of ["framing", layer, "framing"].entries()) {
        const first = Math.max(borders[place], start);
        const last = Math.min(borders[place + 1], start + size);
        if (first < last) found.push([first - start + at, last - start + at, name, kind, key, row]);
      }
    }
  return found;
}

/** Which of the elements, which follow one another, is the first that ends past a place. */
function firstPast(elements, place) {
  let [low, high] = [0, elements.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (elements[middle].at(-1) > place) high = middle;
    else low = middle + 1;
  }
  return low;
}

function base64(bytes) {
  const pieces = [];
  for (let start = 0; start < bytes.length; start += 4096)
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 4096)));
  return btoa(pieces.join(""));
}
