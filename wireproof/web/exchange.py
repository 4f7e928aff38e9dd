"""One request and its response, as a row of the connections table.

Strategy: what a row shows its exchange knows at any time, also while it goes on; beside it stand
the elements, and how far they reach. Records that belong to no exchange have a row of their own: of
the connection, or of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from parsers import accept_for
from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    Fields,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
)

from ..analysis.keyless.sealed import SealedConnection
from ..analysis.listing import Listed, listed_tls, shown_answer
from ..analysis.outcomes import Outcome
from ..analysis.silence import silence_before_end
from ..analysis.verdict import Severity, Verdict, tone, words_of
from ..dialects.reader import DialectReader
from ..dialects.wording import shared
from ..exchange import Exchange
from ..heads import field_value
from ..spool import Spool
from ..text.wording import NO_BODY, body_end, close_code, connection_end, is_ended_by_fin_alone
from ..views.verdicts.words import leading, summary, tls_line
from .elements import KINDS, SEVERITIES, SIDES, WHERE, Elements, ElementsAside, side_of

GRAVITY: tuple[Severity, ...] = ("ok", "note", "warning", "error")
MOST_SECONDS = 1e9
"""More than an exchange lasts."""
MAX_WAITING = 1 << 20
"""Bytes of records that wait until they are put aside together."""
MAX_SHOWN = 2_000
"""Characters of a value that a row of the table holds."""


class Key(NamedTuple):
    """Which exchange: of which connection, and which there. None: of none."""

    connection: int | None
    exchange: int | None

    def __str__(self) -> str:
        """``0.0``; ``n`` stands for none."""
        return ".".join("n" if number is None else str(number) for number in self)


class Spoken(NamedTuple):
    """What an exchange speaks, for its row."""

    title: str
    shared: str
    """What its elements have in common."""


class RowAside(NamedTuple):
    """A row as it is put aside when its exchange is over."""

    key: tuple[int | None, int | None]
    said: tuple[Listed, list[Verdict]] | None
    """Its outcome."""
    holes: list[float]
    asked_time: float | None
    about: Exchange | None
    spoken: Spoken | None
    elements: dict[str, ElementsAside]
    reach: list[int]
    times: tuple[float, float, float | None]
    """Its first and its last, and that of its body's first piece."""
    numbers: tuple[int, int, int, int]
    """Its first packet and its last, its size and its severity."""


class ExchangeRow:
    """What the table shows of an exchange, and where its elements lie."""

    def __init__(self, key: Key, number: int, spool: Spool, capture: int = 0) -> None:
        self.key = key
        self.number = number
        """Which one of all it is, from 0."""
        self._spool = spool
        self.capture = capture
        """Of which capture it is, from 0."""
        self.name = within(capture, str(key))
        """By what it is asked for: ``0.2``, ``1:0.2`` in the second capture."""
        self.outcome: Outcome | None = None
        """What is said of it, once that is known."""
        self.holes: list[float] = []
        """When bytes of it were found missing, once that is known."""
        self.asked_time: float | None = None
        """When that was asked for which its outcome tells of, where no request can be read."""
        self.about: Exchange | None = None
        """The exchange; None where records belong to none."""
        self.reader: DialectReader | None = None
        """Reads what its elements say; None where records belong to no exchange, and of what was
        put aside."""
        self._spoken: Spoken | None = None
        """What it was found to speak, of what was put aside."""
        self.changed = 0
        """By which change of the whole it changed last."""
        self.elements: dict[str, Elements] = {}
        self._waiting: dict[str, list[tuple[Record, bytes, bytes]]] = {}
        """What was taken and is not settled, by kind: each beside what it says."""
        self._waiting_size = 0
        self.reach = [0] * SIDES
        """How far its elements reach in each direction's stream, and in what each side sent in TLS,
        decrypted."""
        self.first_time = 0.0
        self.last_time = 0.0
        self.first_packet = 0
        self.last_packet = 0
        self._first_body_time: float | None = None
        self._size = 0
        self._severity = -1

    @property
    def request(self) -> RequestRecord | None:
        return None if self.about is None else self.about.request

    @property
    def response(self) -> ResponseRecord | None:
        return None if self.about is None else self.about.response

    @property
    def stream_id(self) -> int | None:
        """Its stream of HTTP/2 or HTTP/3; None if it has none."""
        return None if self.about is None else self.about.stream_id

    @property
    def spoken(self) -> Spoken | None:
        """What it speaks, None if that is not known."""
        if self.reader is None or self.reader.dialect is None:
            return self._spoken
        return Spoken(self.reader.dialect.title, shared(self.reader.dialect))

    def aside(self) -> RowAside:
        """Put its elements aside, and return what is to be put aside of it."""
        outcome, spoken = self.outcome, self.spoken
        if self.reader is not None:
            self.reader.end()
        return RowAside(
            key=self.key,
            said=None if outcome is None else (outcome.listed, outcome.verdicts),
            holes=self.holes,
            asked_time=self.asked_time,
            about=self.about,
            spoken=spoken,
            elements={kind: elements.aside() for kind, elements in self.elements.items()},
            reach=self.reach,
            times=(self.first_time, self.last_time, self._first_body_time),
            numbers=(self.first_packet, self.last_packet, self._size, self._severity),
        )

    def bring_back(self, aside: RowAside) -> None:
        """Be what was put aside."""
        self.outcome = None if aside.said is None else Outcome(*aside.said)
        self.holes = aside.holes
        self.asked_time, self.about, self._spoken = aside.asked_time, aside.about, aside.spoken
        self.reach = aside.reach
        self.first_time, self.last_time, self._first_body_time = aside.times
        self.first_packet, self.last_packet, self._size, self._severity = aside.numbers
        for kind, kept in aside.elements.items():
            self.elements[kind] = Elements(self._spool, kept)

    @property
    def interest(self) -> float:
        """How much there is to look at in it: what is most wrong first, and of that what lasted
        longest."""
        grave = 0 if self.outcome is None else GRAVITY.index(self.outcome.listed.severity)
        return grave * MOST_SECONDS + min(self.last_time - self.first_time, MOST_SECONDS - 1)

    def take(self, record: Record, encoded: bytes, words: bytes = b"") -> None:
        """Take a record, and what it says, both encoded. It is an element when it is settled: as
        many as come together lie together, and are told of together."""
        kind = KINDS[record.record]
        waiting = self._waiting.get(kind)
        if waiting is None:
            waiting = self._waiting[kind] = []
        waiting.append((record, encoded, words))
        self._waiting_size += len(encoded) + len(words)
        if self._waiting_size > MAX_WAITING:
            self.settle()

    def settle(self) -> None:
        """Put aside what was taken. Raises OSError if there is no room."""
        taken, self._waiting, self._waiting_size = self._waiting, {}, 0
        for kind, waiting in taken.items():
            elements = self.elements.get(kind)
            if elements is None:
                elements = self.elements[kind] = Elements(self._spool)
            at = self._spool.append(
                b"".join([data for _, encoded, words in waiting for data in (encoded, words)])
            )
            elements.extend([(one, len(data), len(words)) for one, data, words in waiting], at)
            records = [record for record, _, _ in waiting]
            self._stretch([record for record in records if record.first_packet > 0])
            if kind == "d":
                self._grow_worse(records)
            elif kind in "ktfeh":
                self._count(records)

    def add(self, record: Record, encoded: bytes, words: bytes = b"") -> int:
        """Take a record and settle it; return where it lies."""
        self.settle()
        self.take(record, encoded, words)
        self.settle()
        elements = self.elements[KINDS[record.record]]
        return elements.stored(len(elements) - 1)[0]

    def keep_sealed(self, found: SealedConnection) -> None:
        """Take what a TLS connection came to that was not decrypted."""
        self.outcome = Outcome(listed_tls(found), found.verdicts)
        answer = shown_answer(found)
        if answer is not None and answer.turn.asked is not None:
            self.asked_time = answer.turn.asked.time

    def _stretch(self, records: Sequence[Record]) -> None:
        if not records:
            return
        if not self.first_packet:
            self.first_time, self.first_packet = records[0].first_time, records[0].first_packet
        for record in records:
            # Compared in place: calls of max and min take four times as long.
            if record.first_time < self.first_time:
                self.first_time = record.first_time
            if record.last_time > self.last_time:
                self.last_time = record.last_time
            if record.first_packet < self.first_packet:
                self.first_packet = record.first_packet
            if record.last_packet > self.last_packet:
                self.last_packet = record.last_packet
            sender, layer, offset, length = WHERE[type(record)](record)
            if sender is not None and layer != "quic":
                end = (offset or 0) + (length or 0)
                side = side_of(sender, layer)
                if end > self.reach[side]:
                    self.reach[side] = end

    def _count(self, records: Sequence[Record]) -> None:
        for record in records:
            if getattr(record, "sender", None) == "server":
                if self._first_body_time is None:
                    self._first_body_time = record.last_time
                if not isinstance(record, SseEventRecord):
                    self._size += getattr(record, "length", 0)

    def _grow_worse(self, records: Sequence[Record]) -> None:
        for record in records:
            if isinstance(record, DiagnosticRecord):
                self._severity = max(self._severity, SEVERITIES.index(record.severity))

    @property
    def transport(self) -> str:
        """What it streams by or asks for; of what is neither known nor answered, ``request``,
        ``tls`` if it was not decrypted, or ``connection``."""
        about = self.about
        if about is None:
            is_sealed = self.outcome is not None and self.outcome.listed.tls is not None
            return "tls" if is_sealed else "connection"
        if about.response is not None or about.transport != "http":
            return about.transport
        return "connection" if about.request is None else "request"

    def row(self, connection: ConnectionRecord | None) -> dict[str, Any]:
        """Return the row of the table; ``connection`` is its connection's record if it is over."""
        request, response = self.request, self.response
        body = None if self.about is None else self.about.response_body
        row: dict[str, Any] = {
            "key": self.name,
            "capture": self.capture,
            "connection": self.key.connection,
            "exchange": self.key.exchange,
            "transport": self.transport,
            "first_time": self.first_time,
            "last_time": self.last_time,
            "first_packet": self.first_packet,
            "last_packet": self.last_packet,
            "counts": {kind: len(found) for kind, found in self.elements.items()},
            "chunks": 0 if self.about is None else self.about.counts.chunks,
            "undispatched": self._undispatched(),
            "size": self._size if body is None else body.length,
            "first_body_time": self._first_body_time if body is None else body.first_time,
            "severity": SEVERITIES[self._severity] if self._severity >= 0 else None,
            "ended": _ended(self.about, connection, self.outcome),
            "is_whole": None if body is None else body.complete,
            "protocol": None if connection is None else connection.protocol,
        }
        if request is not None:
            fields = request.headers
            host = field_value(fields, ":authority") or field_value(fields, "host")
            row |= {
                "method": request.method[:MAX_SHOWN],
                "target": request.target[:MAX_SHOWN],
                "host": None if host is None else host[:MAX_SHOWN],
                "request_time": request.last_time,
                "asked_time": None if self.about is None else self.about.asked_time,
            }
        if response is not None:
            row |= {
                "status": response.status,
                "reason": response.reason[:MAX_SHOWN],
                "framing": response.framing,
                "response_time": response.first_time,
            }
        if connection is not None:
            row |= {"client": connection.client, "server": connection.server}
            row |= {"ends": [msgspec.to_builtins(end) for end in connection.ends]}
        if self.outcome is not None:
            row |= {"outcome": said_of(self.outcome)}
            if (tls := self.outcome.listed.tls) is not None:
                row |= {"title": tls_line(tls)[:MAX_SHOWN], "asked_time": self.asked_time}
        if (spoken := self.spoken) is not None:
            row |= {"dialect": spoken.title, "shared": spoken.shared}
        if body is not None:
            row |= {"decoded_size": body.decoded_size, "content_encoding": body.content_encoding}
        if request is not None and self.transport == "websocket" and response is not None:
            row["handshake"] = handshake(request.headers, response.headers)
        return row

    def _undispatched(self) -> int:
        """Return how many blocks of an event stream are no events."""
        return 0 if self.about is None else self.about.counts.blocks - self.about.counts.events


def within(capture: int, name: str) -> str:
    """Return how something of a capture is asked for: the first capture's as if it were alone."""
    return f"{capture}:{name}" if capture else name


def headword(outcome: Outcome) -> tuple[str, Severity]:
    """Return the word that stands for all that is said of an exchange, and in whose colour.

    What is wrong, else an end that is worth a note, else whether it streamed.
    """
    found, first = outcome.listed, leading(outcome.verdicts)
    if first is not None and first.is_fault:
        return first.answer, first.severity
    grave = {one.answer: one.severity for one in outcome.verdicts}
    is_told = grave.get(found.end) == "note"
    word = found.end if is_told else found.verdict or found.end
    return word, tone(word, grave.get(word, "ok"))


def said_of(outcome: Outcome) -> dict[str, Any]:
    """Return what a row shows of what is said of an exchange: what ``ls`` does, and the words."""
    found = outcome.listed
    word, tone = headword(outcome)
    return {
        "word": word,
        "tone": tone,
        "verdict": found.verdict,
        "end": found.end,
        "why": _why(outcome),
        "severity": found.severity,
        "words": sorted(words_of(outcome.verdicts)),
        "count": found.count,
        "element": found.element,
        "first": found.first,
        "last": found.last,
        "longest_gap": found.longest_gap,
    }


def _why(outcome: Outcome) -> str | None:
    """Return what says how an exchange ended, None if nothing does."""
    found = (summary(one) for one in outcome.verdicts if one.answer == outcome.listed.end)
    return next((one[:MAX_SHOWN] for one in found), None)


def _ended(
    exchange: Exchange | None, connection: ConnectionRecord | None, outcome: Outcome | None
) -> str | None:
    """Return how an exchange ended, None if it has not.

    Where nothing but closing ended a body, its last word tells whether it is whole: its verdict
    has read that. So it has what the capture lacks.
    """
    if exchange is not None and exchange.response_body is not None:
        silence, body = silence_before_end(exchange), exchange.response_body
        is_whole = outcome is not None and outcome.listed.end == "whole"
        is_lacking = outcome is not None and outcome.listed.end == "unknowable"
        is_told = is_whole and is_ended_by_fin_alone(body) or is_lacking and not body.complete
        told = _why(outcome) if outcome and is_told else None
        said = told or body_end(body)
        return said if silence is None else f"{said}; {silence}"
    if exchange is not None and exchange.closing:
        first = exchange.closing[0]
        return f"closed by the {first.sender}: {close_code(first.close_code)}"
    response = None if exchange is None else exchange.response
    if response is not None and response.framing == "none":
        return NO_BODY
    return None if connection is None else f"connection {connection_end(connection)}"


def handshake(request: Fields, response: Fields) -> dict[str, Any]:
    """Return the opening handshake with the accept value worked out (RFC 6455 section 4.2.2)."""
    key = field_value(request, "sec-websocket-key")
    accept = field_value(response, "sec-websocket-accept")
    expected = None if key is None else accept_for(key.strip().encode("latin-1", "replace"))
    return {
        "key": key,
        "accept": accept,
        "expected": None if expected is None else expected.decode(),
        "verified": expected is not None and accept == expected.decode(),
        "version": field_value(request, "sec-websocket-version"),
        "offered_extensions": field_value(request, "sec-websocket-extensions"),
        "extensions": field_value(response, "sec-websocket-extensions"),
        "offered_subprotocols": field_value(request, "sec-websocket-protocol"),
        "subprotocol": field_value(response, "sec-websocket-protocol"),
    }
