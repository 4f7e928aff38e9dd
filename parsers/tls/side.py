"""One side of TLS as it is seen without keys: records, hellos, and alerts in the clear.

Strategy: whether a fragment is in the clear its record does not say, but what it can be does. An
alert in the clear has two bytes, an encrypted one more. After a ChangeCipherSpec, or after missing
bytes, a handshake record is encrypted unless it begins with a whole hello, as after a
HelloRetryRequest: by chance one in 2^30 does.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import amount, diagnose
from ..limits import MAX_TLS_HELLO
from ..provenance import Element, Ending, Event
from .alerts import LEVELS
from .handshake import (
    CLIENT_HELLO,
    SERVER_HELLO,
    HandshakeMessage,
    HandshakeReader,
)
from .hello import ClientHello, Malformed, ServerHello, read_client_hello, read_server_hello
from .records import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, RecordDecoder, TlsRecord

_READ: dict[int, Callable[[bytes, int, int], ClientHello | ServerHello]] = {
    CLIENT_HELLO: read_client_hello, SERVER_HELLO: read_server_hello,
}  # fmt: skip
ALERT_SIZE = 2


class Alert(Element, frozen=True):
    """An alert in the clear (RFC 8446 section 6)."""

    start: int
    end: int
    level: int
    """1 is a warning, 2 is fatal."""
    description: int


class TlsSideDecoder:
    """Decodes one side's bytes; ``offset`` is the number of the first one.

    A record comes after what it completes. With ``keeps_all`` each has its fragment.
    """

    __slots__ = ("_records", "_handshake", "_is_clear")

    def __init__(self, offset: int = 0, *, keeps_all: bool = False) -> None:
        self._records = RecordDecoder(offset, keeps_all=keeps_all)
        self._handshake = HandshakeReader()
        self._is_clear = True
        """Whether handshake records are certain to be in the clear."""

    def join(self, *, is_at_border: bool) -> None:
        """Take note that bytes came before: the first that follow may be amid a record."""
        self._doubt()
        if not is_at_border:
            self._records.search()

    def receive_data(self, data: bytes) -> list[Event]:
        """Take the next bytes, and return what they completed."""
        return self._read(self._records.receive_data(data))

    def receive_gap(self, length: int) -> list[Event]:
        """Go on after missing bytes, as far as it is certain."""
        found = self._read(self._records.receive_gap(length))
        self._doubt()
        return found

    def receive_eof(self, ending: Ending = "close") -> list[Event]:
        return self._read(self._records.receive_eof(ending))

    def pass_over(self, size: int) -> None:
        """Take note of records of application data that were read already, at a border."""
        self._records.pass_over(size)

    @property
    def offset(self) -> int:
        """The number of the byte that comes next."""
        return self._records.offset

    @property
    def unread(self) -> int:
        """How many bytes may be records, since a border was lost that has not been found again."""
        return self._records.unread

    @property
    def left(self) -> int | None:
        """How many bytes the open record still takes; None if none is open, or that is unknown."""
        return self._records.left

    @property
    def is_at_border(self) -> bool:
        """Whether the bytes so far end where a record does."""
        return self._records.is_at_border

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return self._records.open_offsets + self._handshake.open_offsets

    def _read(self, found: list[Event]) -> list[Event]:
        events: list[Event] = []
        for event in found:
            if isinstance(event, TlsRecord):
                self._read_record(event, events)
            else:
                self._doubt()  # a border was lost
            events.append(event)
        return events

    def _doubt(self) -> None:
        self._is_clear = False
        self._handshake.forget()

    def _read_record(self, record: TlsRecord, events: list[Event]) -> None:
        fragment = record.fragment
        if fragment is None:
            if record.missing:
                self._doubt()
        elif record.type == CHANGE_CIPHER_SPEC:
            self._doubt()
        elif record.type == ALERT and len(fragment) == ALERT_SIZE and fragment[0] in LEVELS:
            events.append(_alert(record, fragment))
        elif record.type == HANDSHAKE and (self._is_clear or _begins_with_hello(fragment)):
            for message in self._handshake.read(fragment, record.end - record.size):
                events += _events_of(message)
            if not self._is_clear:
                self._handshake.forget()


def _alert(record: TlsRecord, fragment: bytes) -> Alert:
    return Alert(record.start, record.end, fragment[0], fragment[1])


def _events_of(message: HandshakeMessage) -> list[Event]:
    """Return a message that is a hello as what it says; others as they are."""
    read = _READ.get(message.type)
    if read is None:
        return [message]
    place = message.start, message.end
    if message.size > MAX_TLS_HELLO:
        return [diagnose("tls-hello-limit", *place, amount(message.size, "byte"))]
    try:
        return [read(message.body, *place)]
    except Malformed as error:
        return [diagnose("tls-hello-invalid", *place, str(error))]


def _begins_with_hello(fragment: bytes) -> bool:
    """Whether a whole ClientHello or ServerHello stands at the beginning."""
    size = int.from_bytes(fragment[1:4])
    return (
        fragment[:1] in (b"\x01", b"\x02")
        and fragment[4:5] == b"\x03"
        and fragment[5:6] <= b"\x03"
        and 38 <= size <= len(fragment) - 4
    )
