"""What the page asks, and the answers: each has a path, and is JSON.

Strategy: a path names exactly one answer, and pages have a fixed size. So the served page fetches
by path, and a report holds the very same answers, path by path: there is one page and one protocol.

| path | answer |
|---|---|
| ``summary`` | the capture: name, times, counts, state |
| ``exchanges/PAGE`` | rows of the connections table |
| ``packets/CONNECTION/PAGE`` | the packets of a connection, as columns |
| ``lane/KEY/KIND/PAGE`` | the elements of a kind, as columns |
| ``rows/KEY/KIND/PAGE`` | the same with their records, what these say, and their carriers |
| ``element/KEY/KIND/ROW`` | one of them whose record is too long for a page |
| ``body/KEY/SENDER`` | a body as it grew |
| ``packet/NUMBER`` | one packet, byte by byte |

KEY is ``0.2``: exchange 2 of connection 0; ``n`` stands for none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from parsers.provenance import seconds
from parsers.records import Sender

from ..analysis.stalls import LEAST, TIMES
from ..views.display_filter import packets_filter
from .body import body
from .elements import SENDERS, Elements
from .exchange import ExchangeRow, Key
from .frame import frame
from .index import ENCODER, Index

EXCHANGES = 500
"""Rows in a page of exchanges."""
LANE = 5_000
"""Elements or packets in a page of a lane."""
ROWS = 100
"""Elements in a page of records."""
MAX_CARRIERS = 64
"""Packets that are named of one element; more are counted."""
MAX_ROW = 32 * 1024
"""Bytes of an encoded record in a page; what is longer is cut there, and whole as an element."""
MAX_ELEMENT = 4 * 1024 * 1024
"""Bytes of an encoded record that is given whole; of what is longer there is the beginning."""
SHOWN_OF_CUT = 2_000
"""Characters of each text of a record that is cut."""

NUMBER = r"(0|[1-9][0-9]{0,8})"
KEY = r"(n|0|[1-9][0-9]{0,8})\.(n|0|[1-9][0-9]{0,8})"
KIND = r"([qrktbexfmgd])"


def summary(index: Index) -> dict[str, Any]:
    """Return what the page says of the capture as a whole."""
    table = index.tracer.table
    return {
        "name": index.name,
        "state": index.state,
        "problem": index.problem,
        "progress": index.progress,
        "policy": index.policy,
        "missed": index.missed,
        "version": index.version,
        "start": seconds(table[1].time_ns) if len(table) else 0.0,
        "end": seconds(table[len(table)].time_ns) if len(table) else 0.0,
        "packets": len(table),
        "bytes": index.captured,
        "connections": len(index.tracer.connections),
        "exchanges": len(index.order),
        "stall": {"times": TIMES, "least": LEAST},
        "pages": {"exchanges": EXCHANGES, "lane": LANE, "rows": ROWS},
    }


def exchanges(index: Index, page: int) -> list[dict[str, Any]]:
    return [index.row(found) for found in index.order[page * EXCHANGES : (page + 1) * EXCHANGES]]


def packets(index: Index, connection: int, page: int) -> dict[str, Any] | None:
    """Return columns of a connection's packets: times, senders, payloads, flags."""
    if connection >= len(index.tracer.connections):
        return None
    known = index.tracer.connections[connection]
    numbers = known.packets[page * LANE : (page + 1) * LANE]
    places = [index.tracer.table[number] for number in numbers]
    return {
        "total": len(known.packets),
        "connection": index.connection(connection),
        "packet": list(numbers),
        "time": [seconds(place.time_ns) for place in places],
        "sender": [SENDERS[known.sender(place.direction)] for place in places],
        "size": [place.end - place.payload for place in places],
        "flags": [place.flags for place in places],
        "again": [
            # A payload of which others had brought everything before.
            int(place.end > place.payload and not index.tracer.brought(number))
            for number, place in zip(numbers, places, strict=True)
        ],
    }


def lane(index: Index, exchange: ExchangeRow, kind: str, page: int) -> dict[str, Any]:
    """Return columns of the elements of a kind: when each was complete, and how large it is."""
    elements = exchange.elements.get(kind, Elements())
    numbers = range(page * LANE, min((page + 1) * LANE, len(elements)))
    places = [elements.place(row) for row in numbers]
    return {
        "total": len(elements),
        "time": [place.last_time for place in places],
        "packet": [place.last_packet for place in places],
        "sender": [SENDERS[place.sender] for place in places],
        "size": [place.size for place in places],
        "mark": [place.mark for place in places],
    }


def rows(index: Index, exchange: ExchangeRow, kind: str, page: int) -> dict[str, Any]:
    elements = exchange.elements.get(kind, Elements())
    numbers = range(page * ROWS, min((page + 1) * ROWS, len(elements)))
    return {
        "total": len(elements),
        "rows": [_row(index, exchange, kind, row, MAX_ROW) for row in numbers],
    }


def element(index: Index, exchange: ExchangeRow, kind: str, row: int) -> dict[str, Any] | None:
    elements = exchange.elements.get(kind)
    if elements is None or row >= len(elements):
        return None
    return _row(index, exchange, kind, row, MAX_ELEMENT)


def _row(index: Index, exchange: ExchangeRow, kind: str, row: int, most: int) -> dict[str, Any]:
    """Return an element: its record, who carried it, and the filter that selects that."""
    elements = exchange.elements[kind]
    place = elements.place(row)
    connection = exchange.key.connection
    encoded = index.spool.read(*elements.stored(row))
    carried = []
    if connection is not None and place.sender is not None and place.length:
        carried = index.tracer.carriers(
            connection, place.sender, place.offset, place.end, MAX_CARRIERS + 1
        )
    return {
        "key": str(exchange.key),
        "kind": kind,
        "row": row,
        "record": msgspec.Raw(encoded) if len(encoded) <= most else _cut(encoded),
        "cut": len(encoded) > most,
        "said": _said(index, elements, row),
        "carried": [carrier[:3] for carrier in carried[:MAX_CARRIERS]],
        "more": len(carried) > MAX_CARRIERS,
        "filter": packets_filter(connection, place.first_packet, place.last_packet),
    }


def _said(index: Index, elements: Elements, row: int) -> msgspec.Raw | None:
    """Return the kind of what an element says, and three pieces of words; None if it says none."""
    at, size = elements.said(row)
    return msgspec.Raw(index.spool.read(at, size)) if size else None


def _cut(encoded: bytes) -> Any:
    """Return a record with its long texts cut, so that pages stay small whatever was sent."""

    def shorter(value: Any) -> Any:
        if isinstance(value, str):
            return value[:SHOWN_OF_CUT]
        if isinstance(value, list):
            return [shorter(item) for item in value[:SHOWN_OF_CUT]]
        return value

    return {name: shorter(value) for name, value in msgspec.json.decode(encoded).items()}


class Answers:
    """Answers paths about one capture."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._routes: list[tuple[re.Pattern[str], Callable[..., Any]]] = [
            (re.compile(pattern), answer)
            for pattern, answer in (
                ("summary", lambda: summary(index)),
                (f"exchanges/{NUMBER}", lambda page: exchanges(index, int(page))),
                (f"packets/{NUMBER}/{NUMBER}", lambda c, page: packets(index, int(c), int(page))),
                (f"lane/{KEY}/{KIND}/{NUMBER}", self._of_exchange(lane)),
                (f"rows/{KEY}/{KIND}/{NUMBER}", self._of_exchange(rows)),
                (f"element/{KEY}/{KIND}/{NUMBER}", self._of_exchange(element)),
                (f"body/{KEY}/(client|server)", self._body),
                (f"packet/{NUMBER}", lambda number: frame(index, int(number))),
            )
        ]

    def answer(self, path: str) -> bytes | None:
        """Return the answer to a path as JSON, None if it names none."""
        for pattern, answer in self._routes:
            if match := pattern.fullmatch(path):
                with self._index.changed:
                    found = answer(*match.groups())
                    return None if found is None else ENCODER.encode(found)
        return None

    def paths(self) -> Iterator[str]:
        """Yield every path that the page may ask for of a capture that has been read."""
        index = self._index
        yield "summary"
        for page in _pages(len(index.order), EXCHANGES):
            yield f"exchanges/{page}"
        for number, known in enumerate(index.tracer.connections):
            if index.shows(number):
                for page in _pages(len(known.packets), LANE):
                    yield f"packets/{number}/{page}"
        for exchange in index.order:
            yield from self._paths_of(exchange)
        table = index.tracer.table
        for packet in range(1, len(table) + 1):
            if packet in table and index.shows(table[packet].connection):
                yield f"packet/{packet}"

    def _paths_of(self, exchange: ExchangeRow) -> Iterator[str]:
        for kind, elements in exchange.elements.items():
            for page in _pages(len(elements), LANE):
                yield f"lane/{exchange.key}/{kind}/{page}"
            for page in _pages(len(elements), ROWS):
                yield f"rows/{exchange.key}/{kind}/{page}"
            for row in range(len(elements)):
                if elements.stored(row)[1] > MAX_ROW:
                    yield f"element/{exchange.key}/{kind}/{row}"
        for sender in SENDERS:
            if sender is not None and exchange.key.exchange is not None:
                yield f"body/{exchange.key}/{sender}"

    def _of_exchange(
        self, answer: Callable[[Index, ExchangeRow, str, int], Any]
    ) -> Callable[..., Any]:
        def found(connection: str, exchange: str, kind: str, number: str) -> Any:
            known = self._exchange(connection, exchange)
            return None if known is None else answer(self._index, known, kind, int(number))

        return found

    def _body(self, connection: str, exchange: str, sender: Sender) -> Any:
        known = self._exchange(connection, exchange)
        is_one = known is not None and known.key.exchange is not None
        return body(self._index, known, sender) if known is not None and is_one else None

    def _exchange(self, connection: str, exchange: str) -> ExchangeRow | None:
        numbers = (None if text == "n" else int(text) for text in (connection, exchange))
        return self._index.exchanges.get(Key(*numbers))


def _pages(total: int, size: int) -> range:
    """Return the numbers of the pages; of nothing there is one, and it is empty."""
    return range(max(-(-total // size), 1))
