"""Reads the elements of one exchange in the dialect that it turns out to speak.

Strategy: what is the same for every event stream is known here: comments and events without data
keep the line open, events that are named ``ping`` do so too, and ``[DONE]`` is a last word. The
first elements that say more than that are shown to every dialect until one knows them. If none has
after MAX_OPENINGS, none is asked any more: a stream without dialect costs a comparison an element.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeGuard

from parsers.records import (
    AwsEventRecord,
    ChunkRecord,
    DataRecord,
    GrpcMessageRecord,
    JsonLineRecord,
    PartRecord,
    Record,
    SseEventRecord,
)
from parsers.records import WebSocketMessageRecord as Message

from ..exchange import Exchange
from .dialect import Dialect, Element, Opening, TextDialect
from .payload import DONE, OTHER, PING, Payload
from .table import spoken_in

__all__ = [
    "KEEP_ALIVE_EVENTS",
    "LAST_WORD",
    "DialectReader",
    "Element",
    "RawReader",
    "Reader",
    "Readers",
]

KEEP_ALIVE_EVENTS = frozenset(("ping", "heartbeat", "keepalive", "keep-alive"))
LAST_WORD = "[DONE]"
ERROR_EVENT = "error"
TELLING_EVENTS = KEEP_ALIVE_EVENTS | {ERROR_EVENT}
"""Names of events that say something whatever the dialect."""
UNREAD = frozenset((LAST_WORD, None))
"""Data of events that no dialect is asked about."""
ELEMENTS = frozenset(
    (SseEventRecord, Message, JsonLineRecord, PartRecord, AwsEventRecord, GrpcMessageRecord)
)
PIECES = frozenset((ChunkRecord, DataRecord))
MAX_OPENINGS = 32
"""Elements by which a dialect is looked for: what applications say of their own before a model's
answer (a session, a status, sources) are a few."""


class Reader(Protocol):
    """What gives the elements of one exchange a meaning."""

    dialect: Dialect | None
    read: Callable[[Element], Payload]

    @property
    def takes_pieces(self) -> bool:
        """Whether chunks and runs are elements too."""


Readers = Callable[[Exchange], Reader]
"""Makes the reader of an exchange: how a view wants its rows."""


class HasRead(NamedTuple):
    """What a reader has come to that reads no more."""

    name: str
    """The dialect's; empty if none was recognised."""
    has_ended: bool
    last_word: str

    def end(self) -> None:
        """Read no more."""


class DialectReader:
    """The payloads of one exchange's elements, in their order."""

    def __init__(self, about: Exchange) -> None:
        self.about = about
        self.dialect: Dialect | None = None
        """What it speaks, None as long as that is not known."""
        self.read: Callable[[Element], Payload] = self._recognising
        """Returns what an element says."""
        self._openings = 0
        self._is_done = False
        self._takes_pieces: bool | None = None

    def __reduce__(self) -> tuple[type[HasRead], tuple[str, bool, str]]:
        return HasRead, (self.name, self.has_ended, self.last_word)

    @property
    def has_ended(self) -> bool:
        """Whether the application has said its last word, in whatever way the dialect has one."""
        return self._is_done or (self.dialect is not None and self.dialect.has_ended)

    @property
    def last_word(self) -> str:
        """What the application says last in this dialect, empty if nothing is agreed."""
        return "" if self.dialect is None else self.dialect.last_word

    @property
    def takes_pieces(self) -> bool:
        """Whether what streams may be read from chunks and runs; to ask when the first one comes.

        That is of plain text, of which nothing else is made.
        """
        if self._takes_pieces is None:
            self._takes_pieces = may_be_read_by_pieces(self.about)
        return self._takes_pieces

    @property
    def name(self) -> str:
        """The dialect's name, empty as long as none was recognised."""
        return "" if self.dialect is None else self.dialect.name

    @property
    def is_unspoken(self) -> bool:
        """Whether no dialect knows the exchange: what is no event says nothing then."""
        return self.read == self._unspoken

    def is_silent(self, events: Sequence[str], data: Sequence[str | None]) -> bool:
        """Whether :meth:`read` would return OTHER for each of several events that are dispatched.

        That is known at a glance of streams that no dialect knows, by their names and data.
        """
        if not self.is_unspoken or not TELLING_EVENTS.isdisjoint(events):
            return False
        return LAST_WORD not in data

    def is_plain(self, events: Sequence[str], data: Sequence[str | None]) -> bool:
        """Whether each of several events that are dispatched says what its text says in a dialect.

        Then :meth:`read_all` reads them: nothing else is to be looked at.
        """
        if self.read != self._speaking or not isinstance(self.dialect, TextDialect):
            return False
        is_text = type(self.dialect).read is TextDialect.read
        return is_text and KEEP_ALIVE_EVENTS.isdisjoint(events) and not UNREAD.intersection(data)

    def read_all(self, data: Sequence[str | None]) -> list[Payload]:
        """Return what :meth:`read` would of several events that are plain, by their data."""
        assert isinstance(self.dialect, TextDialect)
        read, envelope = self.dialect.read_text, self.dialect.envelope
        said = [read(text) for text in data if text is not None]
        if envelope is not None and said:
            envelope.learn(data[-1] or "", said[-1])
        return said

    def texts(self, data: Sequence[str | None]) -> list[str] | None:
        """Return the texts that several events which are plain say, if they say nothing else.

        None where that is not seen at once: then :meth:`read_all` reads them.
        """
        assert isinstance(self.dialect, TextDialect)
        envelope = self.dialect.envelope
        return None if envelope is None else envelope.texts(data)

    def end(self) -> None:
        """Read no more. A reader holds itself by how it reads: until then only a collection of
        garbage, which comes seldom, lets go of it, and of the exchange that it is of."""
        self.read = _read_nothing

    def _recognising(self, element: Element) -> Payload:
        said = self._plain(element)
        if said is not OTHER:
            return said
        opening = Opening(self.about, element)
        spoken = spoken_in(opening)
        if spoken is not None:
            self.dialect = spoken(opening)
            self.read = self._speaking
            self._speak = self.dialect.read
            return self._speak(element)
        self._openings += 1
        if self._openings == MAX_OPENINGS:
            self.read = self._unspoken
        return _named_error(element)

    def _unspoken(self, element: Element) -> Payload:
        said = self._plain(element)
        return _named_error(element) if said is OTHER else said

    def _speaking(self, element: Element) -> Payload:
        said = self._plain(element)
        return self._speak(element) if said is OTHER else said

    def _plain(self, element: Element) -> Payload:
        """Return what is said whatever the dialect."""
        if isinstance(element, SseEventRecord):
            if not element.dispatched:
                return OTHER if _is_unfinished(element) else PING
            if element.event in KEEP_ALIVE_EVENTS:
                return PING
            if element.data == LAST_WORD:
                self._is_done = True
                return DONE
        return OTHER


def may_be_read_by_pieces(about: Exchange) -> bool:
    """Whether chunks and runs are what is read of an exchange, by its response's head."""
    response = about.response
    if response is None or response.transport == "sse" or response.codings:
        return False
    return (about.header("content-type") or "").lower().startswith("text/plain")


def _read_nothing(_: Element) -> Payload:
    return OTHER


def _named_error(element: Element) -> Payload:
    """Return what no dialect has a word for; an event that is named ``error`` is one."""
    if isinstance(element, SseEventRecord) and element.dispatched and element.event == ERROR_EVENT:
        return Payload("error", element.data or "")
    return OTHER


def _is_unfinished(block: SseEventRecord) -> bool:
    """Whether a block has data, and was not dispatched because its end is missing."""
    return any(name == "data" and value for name, value in block.fields or ())


def is_read(record: Record, reader: Reader) -> TypeGuard[Element]:
    """Whether a record is an element that a reader reads: of what the server sends.

    Of a WebSocket both sides are, for one speaks of what the other said.
    """
    kind = type(record)  # a look-up costs a fifth of comparisons, and every record is asked about
    if kind in ELEMENTS:
        return record.sender == "server" or kind is Message  # type: ignore[union-attr]
    if kind not in PIECES or not reader.takes_pieces:
        return False
    return record.sender == "server" and record.size > 0  # type: ignore[union-attr,operator]


class RawReader:
    """Reads nothing out of elements: they are shown as the wire has them."""

    def __init__(self, about: Exchange) -> None:
        self.dialect: Dialect | None = None
        self.read: Callable[[Element], Payload] = lambda _: OTHER
        self.takes_pieces = False
