"""Which exchanges are wanted: one choice, which every command that reads a capture offers.

Strategy: a choice has criteria of three kinds. Where an exchange stands (its connection, its
number) is known with its first record; what it is, with its heads; who its connection is between,
what is said of it, for how long nothing came and what it held, only at its end. What it held is
looked for as its records pass, so no data is kept.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from parsers.records import (
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    Fields,
    Record,
    RequestRecord,
    ResponseRecord,
    Sender,
    Transport,
)

from ..exchanges import Exchange, is_chosen
from ..open_exchanges import Key
from .judges import Explained
from .listing import longest_gap


class ExchangeNumber(NamedTuple):
    """Which exchange: of the capture, or of a connection."""

    number: int
    """From 0: of its connection if that is given, else of the capture."""
    connection: int | None = None


class Heads(NamedTuple):
    """What an exchange is, by its heads."""

    key: Key
    number: int
    """From 0, in the order in which the exchanges of the capture began."""
    asked: Transport | None
    """What its request asks for."""
    transport: Transport
    method: str | None
    target: str | None
    status: int | None


def heads_of(exchange: Exchange) -> Heads:
    """Return what an exchange is, as far as its heads came."""
    request, response = exchange.request, exchange.response
    return Heads(
        exchange.key,
        exchange.number,
        exchange.asked,
        exchange.transport,
        None if request is None else request.method,
        None if request is None else request.target,
        None if response is None else response.status,
    )


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """Criteria, all of which an exchange must meet; None is no criterion."""

    transport: Transport | None = None
    connection: int | None = None
    exchange: ExchangeNumber | None = None
    path: str | None = None
    """A pattern as shells have them, for the request's target with its query or without."""
    method: str | None = None
    status: tuple[str, ...] = ()
    """Of one of these: ``404``, or ``5xx`` for all of a class."""
    port: int | None = None
    """Of the client or of the server."""
    min_gap: float | None = None
    """Seconds for which nothing came of the response, at least."""
    verdict: str | None = None
    """An answer, the code of a cause, a severity, or ``fault``."""
    grep: str | None = None
    """Text that the exchange held: in its heads, or in what it carried."""

    @property
    def needs_end(self) -> bool:
        """Whether only the end of an exchange, or of its connection, tells if it is wanted."""
        late = (self.port, self.min_gap, self.verdict, self.grep)
        return any(criterion is not None for criterion in late)

    @property
    def needs_heads(self) -> bool:
        """Whether more must be known than a record says of its place."""
        early = (self.transport, self.path, self.method, self.exchange)
        return bool(self.status) or any(criterion is not None for criterion in early)

    @property
    def is_empty(self) -> bool:
        """Whether all exchanges are wanted."""
        return self.connection is None and not self.needs_heads and not self.needs_end

    def takes_heads(self, heads: Heads) -> bool:
        """Whether an exchange may be wanted, by its heads."""
        return (
            self._takes_place(heads)
            and (self.transport is None or is_chosen(self.transport, heads.transport, heads.asked))
            and (self.path is None or _is_path(heads.target, self.path))
            and (self.method is None or heads.method == self.method)
            and (not self.status or _is_status(heads.status, self.status))
        )

    def takes(self, explained: Explained, has_text: bool) -> bool:
        """Whether an exchange that is over is wanted; ``has_text`` says if ``grep`` was in it."""
        exchange = explained.exchange
        return (
            self.takes_heads(heads_of(exchange))
            and (self.grep is None or has_text)
            and (self.port is None or has_port(exchange.connection, self.port))
            and (self.min_gap is None or longest_gap(explained.trace) >= self.min_gap)
            and (self.verdict is None or self.verdict in words_of(explained))
        )

    def _takes_place(self, heads: Heads) -> bool:
        if self.connection is not None and heads.key.connection != self.connection:
            return False
        if self.exchange is None:
            return True
        number, connection = self.exchange
        if connection is None:
            return heads.number == number
        return heads.key == (connection, number)


EVERYTHING = ExchangeFilter()


def words_of(explained: Explained) -> set[str]:
    """Return every word that is said of an exchange: answers, causes, severities, ``fault``."""
    words = {"fault"} if explained.is_fault else {"ok"}
    for verdict in explained.verdicts:
        words |= {verdict.answer, verdict.severity, *(cause.code for cause in verdict.causes)}
    return words


def _is_path(target: str | None, pattern: str) -> bool:
    return target is not None and any(fnmatchcase(one, pattern) for one in targets(target))


def targets(target: str) -> tuple[str, str]:
    """Return a target whole and without its query; of an absolute one, its path."""
    if "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target, target.partition("?")[0]


def _is_status(status: int | None, wanted: tuple[str, ...]) -> bool:
    if status is None:
        return False
    return str(status) in wanted or f"{status // 100}xx" in wanted


def has_port(connection: ConnectionRecord | None, port: int) -> bool:
    """Whether a connection is from or to a port."""
    if connection is None:
        return False
    ends = (connection.client, connection.server)
    return any(end.rpartition(":")[2] == str(port) for end in ends)


class TextSearch:
    """Looks for a text in what passes, and remembers in which exchanges it was.

    Text that a border of chunks or packets cuts is found too. What is kept is bounded by the
    exchanges that are open.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = text.encode(errors="surrogatepass")
        self._found: set[tuple[int, int]] = set()
        self._tails: dict[tuple[int, int, Sender], bytes] = {}
        """The end of the last piece of a body, in which the text may have begun."""

    def add(self, record: Record) -> None:
        """Look through the next record."""
        if isinstance(record, ConnectionRecord):
            return
        connection, exchange = record.connection, record.exchange
        if connection is None or exchange is None or (connection, exchange) in self._found:
            return
        if self._is_in(record, (connection, exchange)):
            self._found.add((connection, exchange))

    def take(self, key: Key) -> bool:
        """Return whether the text was in an exchange, and forget it."""
        for sender in ("client", "server"):
            self._tails.pop((*key, sender), None)
        was_in = key in self._found
        self._found.discard(key)
        return was_in

    def _is_in(self, record: Record, key: tuple[int, int]) -> bool:
        match record:
            case RequestRecord():
                line = f"{record.method} {record.target}"
                return self._text in line or self._is_in_fields(record.headers)
            case ResponseRecord():
                return self._is_in_fields(record.headers)
            case ChunkRecord() | DataRecord():
                return self._is_in_piece(record, (*key, record.sender))
        data: str | None = getattr(record, "data", None)
        if data is None:
            return False
        if getattr(record, "encoding", "utf-8") == "base64":
            return self._bytes in b64decode(data)
        return self._text in data

    def _is_in_fields(self, fields: Fields) -> bool:
        return any(self._text in f"{name}: {value}" for name, value in fields)

    def _is_in_piece(self, record: ChunkRecord | DataRecord, key: tuple[int, int, Sender]) -> bool:
        data = record.data or ""
        piece = b64decode(data) if record.encoding == "base64" else data.encode()
        piece = self._tails.get(key, b"") + piece
        self._tails[key] = piece[-len(self._bytes) + 1 :] if len(self._bytes) > 1 else b""
        return self._bytes in piece
