"""Answers as columns: many values of one shape, field by field, so that a report stays small.

Strategy: what answers of a bundle have in common is written once, and what changes from one to the
next stands beside its like, as the difference where that is shorter. So a packet takes what it
carried and a few bytes more, and one look at a column does for all of its values. Nothing is lost:
``page/columns.js`` gives the very same values back. Bytes follow the columns as they are.

| column | stands for |
|---|---|
| ``{"same": V}`` | V, each time |
| ``{"raw": [V, ...]}`` | these values |
| ``{"steps": [N, ...]}`` | numbers, each by its difference from the one before |
| ``{"ticks": COLUMN}`` | times, in units of 2**-22 seconds: a double has no more since 2004 |
| ``{"text": COLUMN}`` | texts, by their places in the table of texts |
| ``{"around": [TEXT, ...], "numbers": [COLUMN, ...]}`` | texts, the same but for numbers |
| ``{"binary": COLUMN}`` | bytes, by their lengths |
| ``{"fields": {NAME: COLUMN}}`` | objects of the same fields |
| ``{"places": [COLUMN, ...]}`` | lists of one length, place by place |
| ``{"sizes": COLUMN, "items": COLUMN}`` | lists, by their lengths |
| ``{"which": COLUMN, "of": [[COUNT, COLUMN], ...]}`` | values of several shapes, apart |
| ``{"held": [AT, START, SIZE, WHICH], "spans": [COUNT, COLUMN]}`` | parts of runs: \
where each begins in its frame, and in its spans (:mod:`.spans`); its size; which spans |
| ``{"few": COLUMN, "of": [V, ...]}`` | few values many times, by their places among them |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from operator import sub
from typing import Any

import msgspec

from .spans import Run, Spans

ENCODER = msgspec.json.Encoder()
TICKS = 1 << 22
"""In a second: no double between 2**30 and 2**31, which times are from 2004 to 2038, has more."""
EXACT = 1 << 53
"""Integers below it are doubles, as JavaScript has them (ECMA-262 section 6.1.6.1)."""
MAX_PLACES = 32
"""The longest lists that are written place by place."""
MAX_PATTERN = 400
"""Characters of a text that is looked through for numbers."""
SAMPLE = 64
"""Values that tell which way of writing them and others is the shorter."""
NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
DIGITS = f"({NUMBER.pattern})"
Column = dict[str, Any]


class Table:
    """Objects of the same fields, which are not made for being written as columns."""

    __slots__ = ("names", "columns")

    def __init__(self, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> None:
        """``columns`` are the values of all objects, in the order of ``names``."""
        self.names = names
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the objects."""
        return (dict(zip(self.names, row, strict=True)) for row in zip(*self.columns, strict=True))


def packed(paths: Sequence[str], answers: Sequence[Any] | Table) -> bytes:
    """Return answers and their paths: a line of JSON, then the bytes that are in them."""
    columns = Columns()
    whole = {
        "count": len(paths),
        "paths": columns.column(paths),
        "answers": columns.table(answers)
        if isinstance(answers, Table)
        else columns.column(answers),
        "texts": list(columns.texts),
    }
    return ENCODER.encode(whole) + b"\n" + b"".join(columns.bytes)


class Columns:
    """Writes values as columns, with one table of their texts and one run of their bytes."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}
        """Every text that is told by its place, and this place."""
        self.bytes: list[bytes] = []

    def column(self, values: Sequence[Any]) -> Column:
        """Return the column of ``values``; how many they are, the reader knows."""
        kinds = set(map(type, values))
        if len(kinds) > 1:
            return self._apart(values, list(map(type, values)))
        if not kinds:
            return _NOTHING
        return self._of_kind(kinds.pop(), values)

    def table(self, table: Table) -> Column:
        """Return the column of objects."""
        return {"fields": dict(zip(table.names, map(self.column, table.columns), strict=True))}

    def _of_kind(self, kind: type, values: Sequence[Any]) -> Column:
        if write := WRITERS.get(kind):
            return write(self, values)
        if issubclass(kind, tuple):
            return self._repeated(values) or self._lists(values)
        if issubclass(kind, msgspec.Struct):
            return self.column(msgspec.json.decode(ENCODER.encode(values)))
        return _same_or_raw(values)

    def _repeated(self, values: Sequence[Any]) -> Column | None:
        """Write values that are often the same; None if these are not."""
        sample = values[:SAMPLE]
        if 2 * len(set(map(ENCODER.encode, sample))) > len(sample):
            return None
        # Encoded, for a tuple may hold what has no hash, and 1 is True; each that is told again and
        # again, once.
        own = {id(value): value for value in values}
        places: dict[bytes, int] = {}
        place_of = {
            key: places.setdefault(ENCODER.encode(value), len(places)) for key, value in own.items()
        }
        at = [place_of[key] for key in map(id, values)]
        return {"few": _integers(at), "of": list(map(msgspec.Raw, places))}

    def _apart(self, values: Sequence[Any], shapes: Sequence[Any]) -> Column:
        """Write values of several shapes, each shape by itself."""
        known: dict[Any, int] = {}
        which = [known.setdefault(shape, len(known)) for shape in shapes]
        groups: list[list[Any]] = [[] for _ in known]
        for number, value in zip(which, values, strict=True):
            groups[number].append(value)
        of = [[len(group), self.column(group)] for group in groups]
        return {"which": _integers(which), "of": of}

    def _floats(self, values: Sequence[float]) -> Column:
        if not 0 <= min(values) <= max(values) < EXACT / TICKS:
            return _same_or_raw(values)
        ticks = [int(value * TICKS) for value in values]
        if all(map(float.__eq__, values, [tick / TICKS for tick in ticks])):
            return {"ticks": _integers(ticks)}
        return _same_or_raw(values)

    def _texts(self, values: Sequence[str]) -> Column:
        first = values[0]
        if values.count(first) == len(values):
            return {"same": first}
        if (found := self._numbered(values)) is not None:
            return found
        texts = self.texts
        return {"text": _integers([texts.setdefault(value, len(texts)) for value in values])}

    def _numbered(self, values: Sequence[str]) -> Column | None:
        """Write texts that are one but for their numbers; None if these are not."""
        around = NUMBER.split(values[0][:MAX_PATTERN])
        if len(around) < 2 or NUMBER.split(values[1]) != around:
            return None
        lines = "\n".join(values)
        if lines.count("\n") != len(values) - 1:
            return None
        form = re.compile(f"^{DIGITS.join(map(re.escape, around))}$", re.MULTILINE)
        found = form.findall(lines)
        if len(found) != len(values):
            return None
        places = [found] if len(around) == 2 else zip(*found, strict=True)
        numbers = [_integers(list(map(int, place))) for place in places]
        return {"around": around, "numbers": numbers}

    def _bytes(self, values: Sequence[bytes]) -> Column:
        self.bytes += values
        return {"binary": _integers(list(map(len, values)))}

    def _objects(self, values: Sequence[dict[str, Any]]) -> Column:
        shapes = list(map(tuple, values))
        names = shapes[0]
        if shapes.count(names) != len(shapes):
            return self._apart(values, shapes)
        return self.table(Table(names, list(zip(*map(dict.values, values), strict=True))))

    def _lists(self, values: Sequence[Sequence[Any]]) -> Column:
        sizes = list(map(len, values))
        size = sizes[0]
        if 0 < size <= MAX_PLACES and sizes.count(size) == len(sizes):
            places = zip(*values, strict=True)
            return {"places": [self.column(place) for place in places]}
        return {"sizes": _integers(sizes), "items": self.column(list(chain.from_iterable(values)))}

    def _tables(self, values: Sequence[Table]) -> Column:
        sizes = list(map(len, values))
        if not any(sizes):
            return {"sizes": _integers(sizes), "items": _NOTHING}
        columns = zip(*(value.columns for value in values), strict=True)
        fields = {
            name: self.column(list(chain.from_iterable(parts)))  # one at a time: they are long
            for name, parts in zip(values[0].names, columns, strict=True)
        }
        return {"sizes": _integers(sizes), "items": {"fields": fields}}

    def _runs(self, values: Sequence[Run]) -> Column:
        known: dict[Spans, int] = {}
        which = [known.setdefault(run.spans, len(known)) for run in values]
        held = [
            _integers([run.at for run in values]),
            _integers([run.start - run.spans.start for run in values]),
            _integers([run.size for run in values]),
            _integers(which),
        ]
        spans = self.column([[lane.columns for lane in one.lanes] for one in known])
        return {"held": held, "spans": [len(known), spans]}

    def _encoded(self, values: Sequence[Any]) -> Column:
        return self.column(msgspec.json.decode(b"[" + b",".join(map(bytes, values)) + b"]"))


WRITERS: dict[type, Callable[[Columns, Any], Column]] = {
    int: lambda _, values: _integers(values),
    float: Columns._floats,
    str: Columns._texts,
    bytes: Columns._bytes,
    dict: Columns._objects,
    list: Columns._lists,
    msgspec.Raw: Columns._encoded,
    Table: Columns._tables,
    Run: Columns._runs,
}
"""By the type of values what writes them. Of the class: columns that held themselves, and with them
all bytes of a part, would stay until a collection of garbage comes, which is seldom."""
_NOTHING: Column = {"same": None}


def _same_or_raw(values: Sequence[Any]) -> Column:
    if values.count(values[0]) == len(values):
        return {"same": values[0]}
    return {"raw": values}


def _integers(values: Sequence[int]) -> Column:
    if not values:
        return _NOTHING
    if values.count(values[0]) == len(values):
        return {"same": values[0]}
    if not (min(values) > -EXACT and max(values) < EXACT):
        return {"raw": values}
    steps = [values[0], *map(sub, values[1:], values)]
    is_shorter = sum(map(abs, steps[:SAMPLE])) < sum(map(abs, values[:SAMPLE]))
    return {"steps": steps} if is_shorter else {"raw": values}
