"""What a report holds, read by the table of ``wireproof/web/columns.py`` and nothing else of it."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from base64 import b64decode, b64encode
from itertools import accumulate, pairwise
from subprocess import PIPE
from typing import Any

from .corpus import ROOT

BLOCK = re.compile(r'<script type="application/json" id="report">(.*?)</script>', re.DOTALL)


def held(page: str) -> dict[str, dict[str, Any]]:
    """Return every answer of a report by its path, bundle by bundle."""
    (block,) = BLOCK.findall(page)
    return {
        name: unpacked(gzip.decompress(b64decode(packed)))
        for name, packed in json.loads(block).items()
    }


def answers(page: str) -> dict[str, Any]:
    """Return every answer of a report by its path."""
    return {path: answer for bundle in held(page).values() for path, answer in bundle.items()}


READ = """
import {{ gunzipSync }} from "node:zlib";
import {{ unpacked }} from {columns};
const read = (packed) => [...unpacked(gunzipSync(Buffer.from(packed, "base64")))];
process.stdin.setEncoding("utf8");
let text = "";
for await (const piece of process.stdin) text += piece;
for (const report of JSON.parse(text))
  console.log(JSON.stringify(Object.fromEntries(Object.values(report).flatMap(read))));
"""


def answers_in_node(pages: list[str]) -> list[dict[str, Any]]:
    """Return every answer of each report by its path, as the page's own script reads them."""
    blocks = ",".join(BLOCK.findall(page)[0] for page in pages)
    columns = json.dumps((ROOT / "wireproof/web/page/columns.js").as_uri())
    command = ["node", "--input-type=module", "-e", READ.format(columns=columns)]
    done = subprocess.run(command, input=f"[{blocks}]", stdout=PIPE, check=True, text=True)
    return list(map(json.loads, done.stdout.rstrip("\n").split("\n")))


def unpacked(data: bytes) -> dict[str, Any]:
    """Return the answers of a bundle by their paths."""
    line, _, run = data.partition(b"\n")
    whole = json.loads(line)
    reader = Reader(whole["texts"], run)
    names = reader.values(whole["paths"], whole["count"])
    found = reader.values(whole["answers"], whole["count"])
    assert not reader.run, "bytes that no column has"
    return dict(zip(names, found, strict=True))


class Reader:
    """Gives the values of columns back, in the order in which they were written."""

    def __init__(self, texts: list[str], run: bytes) -> None:
        self.texts = texts
        self.run = run

    def values(self, column: dict[str, Any], count: int) -> list[Any]:
        kind = next(iter(column))
        found: list[Any] = getattr(self, kind)(*column.values(), count)
        assert len(found) == count, kind
        return found

    def same(self, value: Any, count: int) -> list[Any]:
        return [value] * count

    def raw(self, values: list[Any], count: int) -> list[Any]:
        return values

    def steps(self, steps: list[int], count: int) -> list[int]:
        return list(accumulate(steps))

    def ticks(self, ticks: Any, count: int) -> list[float]:
        return [tick / (1 << 22) for tick in self.values(ticks, count)]

    def text(self, places: Any, count: int) -> list[str]:
        return [self.texts[place] for place in self.values(places, count)]

    def around(self, around: list[str], numbers: list[Any], count: int) -> list[str]:
        found = zip(*(self.values(column, count) for column in numbers), strict=True)
        return [
            around[0] + "".join(f"{n}{text}" for n, text in zip(row, around[1:], strict=True))
            for row in found
        ]

    def binary(self, sizes: Any, count: int) -> list[str]:
        return [self._taken(size) for size in self.values(sizes, count)]

    def _taken(self, size: int) -> str:
        data, self.run = self.run[:size], self.run[size:]
        return b64encode(data).decode()

    def fields(self, fields: dict[str, Any], count: int) -> list[dict[str, Any]]:
        columns = [self.values(column, count) for column in fields.values()]
        return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)] or [
            {} for _ in range(count)
        ]

    def places(self, places: list[Any], count: int) -> list[list[Any]]:
        columns = [self.values(column, count) for column in places]
        return [list(row) for row in zip(*columns, strict=True)]

    def sizes(self, sizes: Any, items: Any, count: int) -> list[list[Any]]:
        lengths = self.values(sizes, count)
        left = iter(self.values(items, sum(lengths)))
        return [[next(left) for _ in range(length)] for length in lengths]

    def which(self, which: Any, of: list[Any], count: int) -> list[Any]:
        groups = [iter(self.values(column, size)) for size, column in of]
        return [next(groups[group]) for group in self.values(which, count)]

    def few(self, few: Any, of: list[Any], count: int) -> list[Any]:
        return [of[place] for place in self.values(few, count)]

    def held(self, held: list[Any], spans: list[Any], count: int) -> list[list[Any]]:
        columns = [self.values(column, count) for column in held]
        found = self.values(spans[1], spans[0])
        return [parts(found[which], *run) for *run, which in zip(*columns, strict=True)]


def parts(lanes: list[Any], at: int, start: int, size: int) -> list[list[Any]]:
    """Return the parts of the elements of some lanes in a run of bytes."""
    found = []
    for lane in lanes:
        row, offset = lane["row"], lane["offset"]
        for step, gap, *sizes in lane.get("framed") or lane["whole"]:
            row += step
            ends = list(accumulate(sizes, initial=offset + gap))
            offset = ends[-1]
            layers = ["framing", lane["layer"], "framing"] if len(sizes) > 1 else [lane["layer"]]
            for (begin, end), layer in zip(pairwise(ends), layers, strict=True):
                first, last = max(begin, start), min(end, start + size)
                if first < last:
                    place = [first - start + at, last - start + at]
                    found.append([*place, layer, lane["kind"], lane["key"], row])
    return found
