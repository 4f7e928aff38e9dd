"""What elements of streams say: texts that go on from one element to the next, as views show them.

Strategy: an exchange's dialect tells what each element says, and which of that is one text
(:func:`..dialects.payload.thread_of`): a model's answer, its reasoning, the arguments of one call.
The elements of a batch are read together, as nearly all of them say the next words of one answer.
Where known secrets are looked for, the strings of an element's JSON are read too, by their keys and
by what leads to them; what no dialect has a word for and is no JSON is read as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from parsers.records import (
    AwsEventRecord,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    JsonLineRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketMessageRecord,
)

from ..dialects.dialect import Element
from ..dialects.payload import Thread, thread_of
from ..dialects.reader import DialectReader, is_read, may_be_read_by_pieces
from ..exchange import Exchange
from ..exchanges import Exchanges
from .json_text import JSON_BEGINS, values_by_key, values_by_path
from .patterns import Span

SEVERAL = frozenset((WebSocketMessageRecord, JsonLineRecord, AwsEventRecord))
PIECES = frozenset((ChunkRecord, DataRecord))
Key = tuple[int | None, int | None]
MAX_HEADS = 4_096
"""Exchanges whose heads are kept until an element comes; then the oldest is read without."""
MAX_SIDE_BY_SIDE = 64
"""Strings of an element that are told apart by what leads to them: what has more is a document, not
the next words of texts."""
UNREAD = ("data", "json", "path")
"""How texts are called that no dialect tells."""
ARRAY = re.compile(r"\[\s{0,8}+\"")
"""How an array begins whose first value is a string."""
SEPARATOR = "\x1e"
"""RFC 7464's, which SignalR has behind each of its messages."""
PLAIN: Thread = ("text", "", "")
"""That of an answer of which nothing else is said."""


class Said(NamedTuple):
    """The next pieces of a text, and the element that each is in."""

    thread: Thread
    elements: list[Element]
    texts: list[str]


def place_of(element: Element) -> Span:
    """Return where an element lies in its stream."""
    return element.offset, element.offset + element.length


class SaidTexts:
    """Reads the elements of a capture's records.

    ``reads_all`` is whether what no dialect has a word for is read too.
    """

    def __init__(self, *, reads_all: bool) -> None:
        self._reads_all = reads_all
        self._exchanges: Exchanges[_Reading] = Exchanges(_Reading)
        self._heads: dict[Key, list[Record]] = {}
        """Of exchanges of which no element has come."""
        self._by_pieces: set[Key] = set()
        """Exchanges whose chunks and runs are elements."""

    def read(self, records: list[Record]) -> list[Said]:
        """Return what the next records say, each text in order."""
        said: list[Said] = []
        waiting: dict[Key, _Reading] = {}
        for record in records:
            kind = type(record)
            if kind is ConnectionRecord:
                self._exchanges.add(record)
                continue
            if kind in PIECES and not self._by_pieces:
                continue  # as nearly all are
            key = record.connection, record.exchange  # type: ignore[union-attr]
            if kind is SseEventRecord:
                reading = self._reading(record, key)
                if reading is not None:
                    reading.events.append(record)  # type: ignore[arg-type]
                    waiting[key] = reading
            elif kind in SEVERAL or (kind in PIECES and key in self._by_pieces):
                said += self._read_one(record, key)
            elif kind is RequestRecord or kind is ResponseRecord:
                self._take_head(record, key)
            elif kind is BodyRecord:
                if (reading := waiting.pop(key, None)) is not None:
                    said += reading.take_events(reads_all=self._reads_all)
                self._take_body(record, key)
        for reading in waiting.values():
            said += reading.take_events(reads_all=self._reads_all)
        return said

    def _take_head(self, record: Record, key: Key) -> None:
        """Keep a head until an element comes, which of most exchanges none does."""
        if self._is_known(key):
            self._exchanges.add(record)
            return
        if len(self._heads) >= MAX_HEADS:
            del self._heads[next(iter(self._heads))]
        self._heads.setdefault(key, []).append(record)
        if isinstance(record, ResponseRecord) and is_plain_text(record):
            reading = self._reading(record, key)
            if reading is not None and may_be_read_by_pieces(reading.reader.about):
                self._by_pieces.add(key)

    def _take_body(self, record: Record, key: Key) -> None:
        if record.sender == "server":  # type: ignore[union-attr]
            self._heads.pop(key, None)
            self._by_pieces.discard(key)
        if self._is_known(key):
            self._exchanges.add(record)

    def _is_known(self, key: Key) -> bool:
        connection, exchange = key
        if connection is None or exchange is None:
            return False
        return self._exchanges.known(connection, exchange) is not None

    def _read_one(self, record: Record, key: Key) -> list[Said]:
        reading = self._reading(record, key)
        if reading is None or not is_read(record, reading.reader):
            return []
        return reading.several([record], reads_all=self._reads_all)

    def _reading(self, record: Record, key: Key) -> _Reading | None:
        """Return what reads an exchange, which an element may be the first record of."""
        connection, exchange = key
        if connection is None or exchange is None:
            return None
        found = self._exchanges.known(connection, exchange)
        if found is None:
            for head in self._heads.pop(key, ()):
                found = self._exchanges.add(head)
        found = found or self._exchanges.add(record)
        return None if found is None else found[1]


def is_plain_text(response: ResponseRecord) -> bool:
    """Return whether a response is text that has no elements but its chunks."""
    return any(
        len(name) == 12 and name.lower() == "content-type" and value[:10].lower() == "text/plain"
        for name, value in response.headers
    )


class _Reading:
    """Reads the elements of one exchange."""

    def __init__(self, about: Exchange) -> None:
        self.reader = DialectReader(about)
        self.events: list[SseEventRecord] = []
        """Those that have not been read."""

    def take_events(self, *, reads_all: bool) -> list[Said]:
        """Return what events say that wait."""
        events, self.events = self.events, []
        names = [one.event for one in events]
        data = [one.data for one in events]
        if not reads_all and self.reader.is_silent(names, data):
            in_arrays = [one for one in events if ARRAY.search(one.data or "") is not None]
            return self.several(list(in_arrays), reads_all=False) if in_arrays else []
        if all(one.dispatched for one in events) and self.reader.is_plain(names, data):
            texts = self.reader.texts(data)
            if texts is not None:
                return [Said(PLAIN, list(events), texts)]
        return self.several(list(events), reads_all=reads_all)

    def several(self, elements: list[Element], *, reads_all: bool) -> list[Said]:
        """Return what elements say, one by one."""
        found: dict[Thread, Said] = {}
        for element in elements:
            payload = self.reader.read(element)
            thread = thread_of(payload)
            texts = [(thread, payload.text)] if thread is not None else []
            if reads_all:
                texts += _unread(element, is_known=thread is not None)
            elif thread is None:
                texts += _in_arrays(element)
            for thread, text in texts:
                said = found.get(thread)
                if said is None:
                    said = found[thread] = Said(thread, [], [])
                said.elements.append(element)
                said.texts.append(text)
        return list(found.values())


def _in_arrays(element: Element) -> Iterator[tuple[Thread, str]]:
    """Yield the strings that stand in arrays by themselves, as some stream the next words, each
    with what leads to it."""
    data = element.data or ""
    is_text = isinstance(element, SseEventRecord) or element.encoding == "utf-8"
    if not is_text or ARRAY.search(data) is None or JSON_BEGINS.match(data) is None:
        return
    for path, text in _side_by_side(data):
        if path[-1:].isdigit():
            yield ("path", path, ""), text


def _side_by_side(data: str) -> list[tuple[str, str]]:
    """Return the strings of an element, each with what leads to it; none of one with too many.

    SignalR ends messages with a separator, of which an element may have several.
    """
    found: list[tuple[str, str]] = []
    for message in data.split(SEPARATOR):
        found += islice(values_by_path(message), MAX_SIDE_BY_SIDE + 1)
        if len(found) > MAX_SIDE_BY_SIDE:
            return []
    return found


def _unread(element: Element, *, is_known: bool) -> Iterator[tuple[Thread, str]]:
    """Yield the texts of what no dialect has a word for, and what one may have joined with others.

    ``is_known`` says whether the dialect knows the element's own.
    """
    is_text = isinstance(element, SseEventRecord) or element.encoding == "utf-8"
    if not is_text or not element.data:
        return
    if JSON_BEGINS.match(element.data) is None:
        if not is_known:
            yield ("data", "", ""), element.data
        return
    for key, text in values_by_key(element.data):
        yield ("json", key, ""), text
    yield from ((("path", path, ""), text) for path, text in _side_by_side(element.data))
