"""What the page asks, and the answers: each has a path, and is JSON.

Strategy: a path names exactly one answer, and pages have a fixed size. So the served page fetches
by path, and a report holds the very same answers, path by path: there is one page and one protocol.

| path | answer |
|---|---|
| ``summary`` | the capture: name, times, counts, state |
| ``exchanges/PAGE`` | rows of the connections table |
| ``packets/CONNECTION/PAGE`` | the packets of a connection, as columns |
| ``roundtrips/CONNECTION`` | how long acknowledgements took, as columns |
| ``lane/KEY/KIND/PAGE`` | the elements of a kind, as columns |
| ``rows/KEY/KIND/PAGE`` | the same with their records, what these say, and their carriers |
| ``element/KEY/KIND/ROW`` | one of them whose record is too long for a page |
| ``verdicts/KEY`` | what is said of an exchange, as ``explain`` says it |
| ``reading/KEY/ROW`` | the content of its elements from a row on, as a reader saw it grow |
| ``body/KEY/SENDER`` | a body as it grew |
| ``packet/NUMBER`` | one packet, byte by byte |
| ``opened/WIRE/ROW`` | what a TLS record held, byte by byte |
| ``streams/WIRE/PAGE`` | the streams of an HTTP/2 connection |
| ``windows/KEY/SENDER`` | the window that held a sender in a stream of HTTP/2, as it was |
| ``windows/WIRE/SENDER`` | the same of the window that all streams of a connection share |
| ``vocabulary`` | by which words verdicts are chosen, and what is said of others |
| ``hops`` | the exchanges that were seen on several legs |
| ``find/KEY/TEXT`` | which elements of an exchange hold a text; not in a report |
| ``search/TEXT`` | which exchanges hold a text; in a report nobody answers that |
| ``hop/NUMBER`` | one of them: its legs on one axis, and what each hop did |

KEY is ``0.2``: exchange 2 of connection 0; ``n`` stands for none. WIRE is ``0.w``: what connection
0 carried below its exchanges; lanes, rows and elements take it for a KEY. What is not in the first
capture has the number of its own before it: ``1:0.2``, packet ``1:17``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, islice
from typing import Any

import msgspec
from parsers.provenance import seconds
from parsers.records import Sender

from ..analysis.stalls import LEAST, TIMES
from ..analysis.text_search import TextSearch
from ..analysis.verdict import verdict_record
from ..analysis.vocabulary import listed
from ..bytes.packet_index import PacketPlace, brought_by
from ..views.display_filter import packets_filter
from ..views.verdicts import words
from ..views.verdicts.words import leading
from .body import body
from .carriers import MAX_CARRIERS, Carriers, Holder
from .columns import Table
from .elements import OF_SIDE, SENDERS, Elements
from .exchange import ExchangeRow, Key
from .finding import find
from .frame import frame
from .hops import Hops
from .index import Index
from .opened import opened
from .reading import reading
from .round_trips import round_trips
from .streams import STREAMS, streams
from .wire import FRAMES, WIRE, Wire

EXCHANGES = 500
"""Rows in a page of exchanges."""
LANE = 5_000
"""Elements or packets in a page of a lane."""
ROWS = 100
"""Elements in a page of records."""
MAX_ROW = 32 * 1024
"""Bytes of an encoded record in a page; what is longer is cut there, and whole as an element."""
MAX_ELEMENT = 4 * 1024 * 1024
"""Bytes of an encoded record that is given whole; of what is longer there is the beginning."""
SHOWN_OF_CUT = 2_000
"""Characters of each text of a record that is cut."""

ROW = (
    "key", "kind", "row", "record", "cut", "said", "carried", "more", "opened", "filter",
)  # fmt: skip
"""What is told of an element in a page of records."""
CAPTURE = "(?:([1-9][0-9]?):)?"
NUMBER = r"(0|[1-9][0-9]{0,9})"
KEY = r"(n|0|[1-9][0-9]{0,9})\.(n|0|[1-9][0-9]{0,8})"
WIRE_KEY = rf"(0|[1-9][0-9]{{0,9}})\.({WIRE})"
HOLDER = rf"(n|0|[1-9][0-9]{{0,9}})\.({WIRE}|n|0|[1-9][0-9]{{0,8}})"
TEXT = "((?:[0-9a-f]{2}){1,512})"
"""What is looked for, UTF-8 in hex."""
KIND = r"([qrktbexfmgdhsya])"
LOCKING = frozenset({"hops", "hop", "find", "search"})
"""What takes the captures' locks itself, and not for long."""
NOTHING: tuple[re.Pattern[str], Callable[..., Any]] = re.compile("(?!)"), lambda: None
"""What answers a path of no name."""


def summary(indexes: Sequence[Index]) -> dict[str, Any]:
    """Return what the page says of its captures as a whole."""
    captures = [_capture(index) for index in indexes]
    starts = [one["start"] for one in captures if one["packets"]]
    return {
        "name": ", ".join(index.name for index in indexes),
        "captures": captures,
        "state": _state(indexes),
        "problem": next((index.problem for index in indexes if index.problem), None),
        "progress": _progress(indexes),
        "policy": indexes[0].policy,
        "missed": sum(index.missed for index in indexes),
        "version": version(indexes),
        "start": min(starts, default=0.0),
        "end": max((one["end"] for one in captures), default=0.0),
        **{
            fact: sum(one[fact] for one in captures)
            for fact in ("packets", "bytes", "connections", "exchanges", "detailed")
        },
        "held": _held(indexes),
        "stall": {"times": TIMES, "least": LEAST},
        "pages": {"exchanges": EXCHANGES, "lane": LANE, "rows": ROWS, "streams": STREAMS},
    }


def _capture(index: Index) -> dict[str, Any]:
    table = index.tracer.table
    return {
        "name": index.name,
        "start": seconds(table[1].time_ns) if len(table) else 0.0,
        "end": seconds(table[len(table)].time_ns) if len(table) else 0.0,
        "packets": len(table),
        "bytes": index.captured,
        "connections": len(index.tracer.connections),
        "exchanges": len(index.order),
        "detailed": index.order.detailed,
    }


def _held(indexes: Sequence[Index]) -> dict[str, int] | None:
    """Return what a report holds of the packets, None if all of them; it is of one capture."""
    held = indexes[0].held
    return None if held is None else held._asdict()


def _state(indexes: Sequence[Index]) -> str:
    """Return the state of all together: they have ended when the last one has."""
    states = {index.state for index in indexes}
    return next((state for state in ("live", "reading") if state in states), "ended")


def _progress(indexes: Sequence[Index]) -> float | None:
    parts = [1.0 if index.state == "ended" else index.progress for index in indexes]
    known = [part for part in parts if part is not None]
    return sum(known) / len(known) if len(known) == len(parts) else None


def version(indexes: Sequence[Index]) -> str:
    """Return up to which change each capture has been told of: ``12`` or ``12.7``."""
    return ".".join(str(index.version) for index in indexes)


def exchanges(indexes: Sequence[Index], page: int) -> list[dict[str, Any]]:
    """Return a page of rows, those of the first capture first."""
    places = chain.from_iterable(((index, n) for n in range(len(index.order))) for index in indexes)
    shown = islice(places, page * EXCHANGES, (page + 1) * EXCHANGES)
    return [index.row(index.order[number]) for index, number in shown]


def packets(index: Index, connection: int, page: int) -> dict[str, Any] | None:
    """Return columns of a connection's packets: times, senders, payloads, flags."""
    if connection >= len(index.tracer.connections):
        return None
    known = index.tracer.connections[connection]
    numbers = known.packets[page * LANE : (page + 1) * LANE]
    places = list(map(PacketPlace._make, index.tracer.table.of(numbers)))
    senders = [SENDERS[known.sender(direction)] for direction in (0, 1)]
    return {
        "total": len(known.packets),
        "connection": index.connection(connection),
        "packet": list(numbers),
        "time": [seconds(place.time_ns) for place in places],
        "sender": [senders[place.direction] for place in places],
        "size": [place.end - place.payload for place in places],
        "flags": [place.flags for place in places],
        "again": [
            # A payload of which others had brought everything before.
            int(place.end > place.payload and not brought_by(number, place, known))
            for number, place in zip(numbers, places, strict=True)
        ],
    }


def lane(index: Index, exchange: Holder, kind: str, page: int) -> dict[str, Any]:
    """Return columns of the elements of a kind: when each was complete, and how large it is."""
    elements = exchange.elements.get(kind) or Elements(index.spool)
    numbers = range(page * LANE, min((page + 1) * LANE, len(elements)))
    found = elements.columns(numbers)
    return {
        "total": len(elements),
        "time": list(found.last_time),
        "packet": list(found.last_packet),
        "sender": [side & OF_SIDE for side in found.side],
        "size": list(found.size),
        "mark": list(found.mark),
        **_streams_of(exchange, kind, numbers),
    }


def _streams_of(holder: Holder, kind: str, rows: range) -> dict[str, Any]:
    """Return the column of streams, which frames of HTTP/2 have."""
    if not isinstance(holder, Wire) or kind != FRAMES:
        return {}
    return {"stream": list(holder.streams[rows.start : rows.stop])}


def rows(index: Index, exchange: Holder, kind: str, page: int) -> dict[str, Any]:
    elements = exchange.elements.get(kind) or Elements(index.spool)
    numbers = range(page * ROWS, min((page + 1) * ROWS, len(elements)))
    return {"total": len(elements), "rows": _rows(index, exchange, kind, numbers, MAX_ROW)}


def element(index: Index, exchange: Holder, kind: str, row: int) -> dict[str, Any] | None:
    elements = exchange.elements.get(kind)
    if elements is None or row >= len(elements):
        return None
    (found,) = _rows(index, exchange, kind, range(row, row + 1), MAX_ELEMENT)
    return found


def _rows(index: Index, exchange: Holder, kind: str, numbers: range, most: int) -> Table:
    """Return elements: of each its record, who carried it, and the filter that selects that."""
    if not numbers:
        return Table(ROW, [()] * len(ROW))
    connection = exchange.key.connection
    elements = exchange.elements[kind]
    found = elements.columns(numbers)
    encoded, said = zip(*index.stored_together(found.stored), strict=True)
    cut = [len(record) > most for record in encoded]
    carried, held = Carriers(index, exchange, kind).of_all(elements, numbers, found, encoded)
    return Table(
        ROW,
        [
            [exchange.name] * len(numbers),
            [kind] * len(numbers),
            numbers,
            [
                _cut(record) if is_cut else msgspec.Raw(record)
                for record, is_cut in zip(encoded, cut, strict=True)
            ],
            cut,
            [msgspec.json.decode(words)[:4] if words else None for words in said],
            [[carrier[:3] for carrier in some[:MAX_CARRIERS]] for some in carried],
            [len(some) > MAX_CARRIERS for some in carried],
            held,
            [
                packets_filter(connection, first, last)
                for first, last in zip(found.first_packet, found.last_packet, strict=True)
            ],
        ],
    )


def _cut(encoded: bytes) -> Any:
    """Return a record with its long texts cut, so that pages stay small whatever was sent."""

    def shorter(value: Any) -> Any:
        if isinstance(value, str):
            return value[:SHOWN_OF_CUT]
        if isinstance(value, list):
            return [shorter(item) for item in value[:SHOWN_OF_CUT]]
        return value

    return {name: shorter(value) for name, value in msgspec.json.decode(encoded).items()}


def windows(index: Index, holder: Holder, sender: Sender) -> dict[str, Any] | None:
    """Return the window that held a sender in an exchange's stream and how often that stalled; of
    a connection the same of the window that all its streams share. None if it is not HTTP/2."""
    connection = holder.key.connection
    held = None if connection is None else index.windows.find(connection)
    if connection is None or held is None:
        return None
    wire = index.wires.get(connection)
    if isinstance(holder, Wire):
        return held.of_connection(sender) | {"stalls": holder.stalls_of(None, sender)}
    if holder.stream_id is None:
        return None
    stalls = [] if wire is None else wire.stalls_of(holder.stream_id, sender)
    return held.of_stream(holder.stream_id, sender) | {"stalls": stalls}


def verdicts(index: Index, exchange: ExchangeRow) -> dict[str, Any]:
    """Return all that is said of an exchange; ``lead`` is which of it stands for all, ``holes``
    when bytes of its response were found missing."""
    outcome = exchange.outcome
    if outcome is None:
        return {"verdicts": [], "lead": None, "fine": "", "holes": []}
    first = leading(outcome.verdicts)
    found = outcome.listed
    return {
        "verdicts": [
            {
                "record": verdict_record(one, found.connection, found.exchange),
                "tone": one.tone,
                "summary": words.summary(one),
                "details": words.details(one),
            }
            for one in outcome.verdicts
        ],
        "lead": None if first is None else outcome.verdicts.index(first),
        "fine": words.fine(found) if found.tls is None else words.sealed_sentence(outcome),
        "holes": exchange.holes,
    }


def search(indexes: Sequence[Index], text: bytes) -> list[str]:
    """Return the exchanges that hold a text in their heads or in what they carried, as ``ls
    --grep`` finds it; up to now, of a recording."""
    found: list[str] = []
    for index in indexes:
        looks = TextSearch(text.decode(errors="replace"))
        for record in index.records():
            looks.add(record)
        known = [(one.name, one.about.key) for one in index.order if one.about is not None]
        found += [name for name, key in known if looks.take(key)]
    return found


class Answers:
    """Answers paths about one capture, or several that are shown together."""

    def __init__(self, *indexes: Index) -> None:
        self._indexes = indexes
        self._hops = Hops(indexes)
        self._routes: dict[str, tuple[re.Pattern[str], Callable[..., Any]]] = {
            pattern.partition("/")[0]: (re.compile(pattern), answer)
            for pattern, answer in (
                ("summary", lambda: summary(indexes)),
                ("vocabulary", lambda: listed("fault")),
                (f"exchanges/{NUMBER}", lambda page: exchanges(indexes, int(page))),
                (f"packets/{CAPTURE}{NUMBER}/{NUMBER}", self._packets),
                (f"roundtrips/{CAPTURE}{NUMBER}", self._round_trips),
                (f"lane/{CAPTURE}{HOLDER}/{KIND}/{NUMBER}", self._of_exchange(lane)),
                (f"rows/{CAPTURE}{HOLDER}/{KIND}/{NUMBER}", self._of_exchange(rows)),
                (f"element/{CAPTURE}{HOLDER}/{KIND}/{NUMBER}", self._of_exchange(element)),
                (f"opened/{CAPTURE}{WIRE_KEY}/{NUMBER}", self._of_exchange(opened)),
                (f"streams/{CAPTURE}{WIRE_KEY}/{NUMBER}", self._of_exchange(streams)),
                (f"windows/{CAPTURE}{HOLDER}/(client|server)", self._of_exchange(windows)),
                (f"verdicts/{CAPTURE}{KEY}", self._of_exchange(verdicts)),
                (f"reading/{CAPTURE}{KEY}/{NUMBER}", self._of_exchange(reading)),
                (f"body/{CAPTURE}{KEY}/(client|server)", self._body),
                (f"packet/{CAPTURE}{NUMBER}", self._frame),
                ("hops", self._hops.list),
                (f"hop/{NUMBER}", lambda number: self._hops.one(int(number))),
                (f"find/{CAPTURE}{KEY}/{TEXT}", self._find),
                (f"search/{TEXT}", lambda text: search(indexes, bytes.fromhex(text))),
            )
        }

    def answer(self, path: str) -> bytes | None:
        """Return the answer to a path as JSON, None if it names none."""
        if path.partition("/")[0] in LOCKING:
            return _encoded(self.found(path))
        with locked(self._indexes):
            return _encoded(self.found(path))

    def found(self, path: str) -> Any:
        """Return the answer to a path as it is encoded, None if it names none; without the lock,
        which is not needed of captures that have been read."""
        pattern, answer = self._routes.get(path.partition("/")[0], NOTHING)
        match = pattern.fullmatch(path)
        return None if match is None else answer(*match.groups())

    @property
    def hops(self) -> int:
        """How many exchanges were seen on several legs, which takes long to be found."""
        return len(self._hops.found())

    def _index(self, capture: str | None) -> Index | None:
        number = int(capture or 0)
        return self._indexes[number] if number < len(self._indexes) else None

    def _packets(self, capture: str | None, connection: str, page: str) -> Any:
        index = self._index(capture)
        return None if index is None else packets(index, int(connection), int(page))

    def _round_trips(self, capture: str | None, connection: str) -> Any:
        index = self._index(capture)
        return None if index is None else round_trips(index, int(connection))

    def _frame(self, capture: str | None, number: str) -> Any:
        index = self._index(capture)
        return None if index is None else frame(index, int(number))

    def _find(self, capture: str | None, connection: str, exchange: str, text: str) -> Any:
        index = self._index(capture)
        known = None if index is None else _exchange(index, connection, exchange)
        if index is None or not isinstance(known, ExchangeRow):
            return None
        return find(index, known, bytes.fromhex(text).decode(errors="replace"))

    def _of_exchange(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def found(capture: str | None, connection: str, exchange: str, *more: str) -> Any:
            index = self._index(capture)
            known = None if index is None else _exchange(index, connection, exchange)
            rest = [int(text) if text.isdigit() else text for text in more]
            return None if known is None else answer(index, known, *rest)

        return found

    def _body(self, capture: str | None, connection: str, exchange: str, sender: Sender) -> Any:
        is_one = exchange != "n"
        return self._of_exchange(body)(capture, connection, exchange, sender) if is_one else None


@contextmanager
def locked(indexes: Sequence[Index]) -> Iterator[None]:
    """Have the captures stay as they are for a moment; always in the same order."""
    with ExitStack() as stack:
        for index in indexes:
            stack.enter_context(index.changed)
        yield


def _encoded(found: Any) -> bytes | None:
    return None if found is None else TO_PAGE.encode(found)


TO_PAGE = msgspec.json.Encoder(enc_hook=list)
"""Writes a table as the list of its objects."""


def _exchange(index: Index, connection: str, exchange: str) -> Holder | None:
    if exchange == WIRE:
        return index.wires.get(int(connection)) if connection.isdigit() else None
    numbers = (None if text == "n" else int(text) for text in (connection, exchange))
    return index.order.find(Key(*numbers))
