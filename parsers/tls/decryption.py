"""The records of both sides, opened with the keys that are known (RFC 8446, RFC 5246).

    found = decryption.receive("server", record)

Strategy: a record is shown if its tag or MAC fits, and never else; so what is not known is tried,
within bounds: the next number, after missing bytes the numbers that may be next, and the keys that
follow; without a hello, the keys of all connections. What the other side has yet to tell, and keys
that may yet come, are waited for: records stand in a queue meanwhile, which is bounded too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from ..diagnostics import amount, diagnose
from ..limits import MAX_TLS_BACKLOG, MAX_TLS_WAITING
from ..memory import Account, Holding
from ..provenance import Element, Ending, Event
from ..records import Sender
from .alerts import CLOSE_NOTIFY
from .handshake import CLIENT_HELLO, ENCRYPTED_EXTENSIONS, FINISHED, SERVER_HELLO, HandshakeMessage
from .hello import (
    ClientHello,
    EncryptedExtensions,
    Malformed,
    ServerHello,
    read_client_hello,
    read_encrypted_extensions,
    read_server_hello,
)
from .key_chain import Epoch
from .key_finder import TLS13, KeyFinder, KeySource
from .records import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, TlsRecord
from .sealed_side import LostContent, SealedSide

_FOLLOWING: dict[tuple[Epoch, int], Epoch] = {
    ("early", 5): "handshake",  # EndOfEarlyData (RFC 8446 section 4.5)
    ("handshake", FINISHED): "traffic",  # (section 4.4.4); after the handshake it changes none
    ("traffic", 24): "traffic",  # KeyUpdate (section 4.6.3)
}
"""After which message, encrypted with a key of which epoch, what key follows."""
_READ: dict[int, Callable[[bytes, int, int], ClientHello | ServerHello | EncryptedExtensions]] = {
    CLIENT_HELLO: read_client_hello,
    SERVER_HELLO: read_server_hello,
    ENCRYPTED_EXTENSIONS: read_encrypted_extensions,
}


class OpenedRecord(Element, frozen=True):
    """A record that was decrypted; ``start`` and ``end`` are those of the record itself."""

    start: int
    end: int
    record: TlsRecord
    type: int
    """The inner one in TLS 1.3."""
    content: bytes


class ClosedRecord(Element, frozen=True):
    """A record that is encrypted, and was not decrypted."""

    start: int
    end: int
    record: TlsRecord


class ClearRecord(Element, frozen=True):
    """A record that is not encrypted."""

    start: int
    end: int
    record: TlsRecord


class EndOfSide(Element, frozen=True):
    """Nothing follows from a side, after all that waited."""

    start: int
    end: int
    ending: Ending


Results = list[tuple[Sender, Event]]


class Decryption:
    """Opens the records of both sides, which it is given in the order in which they came.

    Hellos in the clear come before their records. Results are of either side: what one sends may
    be what the other's records have waited for. What a handshake message says comes before the
    record that completes it. ``account`` is charged with what waits.
    """

    def __init__(self, source: KeySource, account: Account | None = None) -> None:
        self.sides: dict[Sender, SealedSide] = {
            "client": SealedSide("client"), "server": SealedSide("server"),
        }  # fmt: skip
        self.keys = KeyFinder(source, self.sides)
        self._source = source
        self._holding = Holding(account)
        self._is_over = False

    def begin(self, sender: Sender, offset: int, *, is_joined: bool) -> None:
        """Say where a side's bytes begin, and whether that is somewhere in the middle."""
        side = self.sides[sender]
        side.offset, side.is_joined = offset, is_joined

    def receive(self, sender: Sender, event: Event) -> Results:
        """Take what one side sent: hellos and records."""
        match event:
            case TlsRecord():
                self._source.waiting += self.sides[sender].wait(event)
                return self._advance()
            case ClientHello() | ServerHello():
                self.keys.take_hello(event)
        return []

    def end(self, sender: Sender, ending: Ending, unread: int = 0) -> Results:
        """Take note that a side sends no more; its last ``unread`` bytes may have been records."""
        self.sides[sender].end(ending, unread)
        found = self._advance()
        if all(side.is_over for side in self.sides.values()):
            self._is_over = True
            found += self._advance()
        return found

    # --- what came of it ---

    @property
    def amount(self) -> Literal["yes", "no", "part"]:
        """How much was decrypted, of what was sent."""
        sides = self.sides.values()
        if not any(side.opened for side in sides):
            return "no"
        return (
            "part" if any(side.closed or side.lost or side.is_joined for side in sides) else "yes"
        )

    @property
    def reason(self) -> str | None:
        """Why not all was; None if all was."""
        said: list[str] = []
        for side in self.sides.values():
            for text in _shortcomings(side):
                if text not in said:
                    said.append(text)
        if not said and self.amount == "no":
            return "nothing was encrypted"
        return "; ".join(said) or None

    def says_end(self, sender: Sender) -> bool | None:
        """Whether a side said that it sends no more; None if that is not known."""
        side = self.sides[sender]
        if side.has_close_notify:
            return True
        return False if side.is_read_to_end else None

    # --- records ---

    def _advance(self) -> Results:
        """Take what waits, as far as that can be: one side's records may tell the other's keys."""
        found: Results = []
        is_moving = True
        while is_moving:
            is_moving = False
            for side in self.sides.values():
                while side.queue and (events := self._take(side, side.queue[0])) is not None:
                    self._source.waiting -= side.next()
                    is_moving = True
                    found += [(side.sender, event) for event in events]
        self._holding.hold(sum(side.queued for side in self.sides.values()))
        return found

    def _take(self, side: SealedSide, item: TlsRecord | Ending) -> list[Event] | None:
        """Return what comes of a side's next record, or its end; None if it must wait."""
        if isinstance(item, str):
            return self._last(side, item)
        side.go_on_at(item)
        if not self._is_sealed(side, item):
            side.has_switched |= item.type == CHANGE_CIPHER_SPEC
            return [ClearRecord(item.start, item.end, item)]
        side.is_sealed = True
        if item.fragment is None:
            side.miss(item)
            return [ClosedRecord(item.start, item.end, item)]
        if side.chain is None:
            is_full = side.queued > MAX_TLS_BACKLOG or self._source.waiting > MAX_TLS_WAITING
            is_last = self._is_over or is_full
            if not self.keys.find(side, (item.header, item.fragment), is_last=is_last):
                return None
        return self._open(side, item, item.fragment)

    def _last(self, side: SealedSide, ending: Ending) -> list[Event]:
        place = side.offset
        side.end_here(ending)
        events: list[Event] = []
        if missing := side.last_loss():
            events.append(LostContent(place, place, missing))
        events.append(EndOfSide(place, place, ending))
        return events

    def _is_sealed(self, side: SealedSide, record: TlsRecord) -> bool:
        """Whether a record is encrypted.

        In TLS 1.3 all that are have one type; before, all that follow a switch, which itself may be
        missing.
        """
        if record.type == APPLICATION_DATA:
            return True
        if (
            self.keys.version == TLS13
            or record.type == CHANGE_CIPHER_SPEC
            and not side.has_switched
        ):
            return False
        return side.has_switched or bool(side.doubt)

    def _open(self, side: SealedSide, record: TlsRecord, fragment: bytes) -> list[Event]:
        found = side.open(record, fragment)
        if found is None:
            return self._leave_closed(side, record)
        events: list[Event] = []
        if missing := side.go_to(found):
            events.append(LostContent(record.start, record.start, missing))
        kind, content = found.opened
        if kind == HANDSHAKE:
            for message in side.messages.read(content, record.start):
                self._message(side, message, record, events)
        elif kind == CHANGE_CIPHER_SPEC:  # the other key of a renegotiation (RFC 5246 section 7.1)
            side.shift("sealed")
        elif kind == ALERT and content[1:] == bytes([CLOSE_NOTIFY]):
            side.has_close_notify = True
        events.append(OpenedRecord(record.start, record.end, record, kind, content))
        return events

    def _leave_closed(self, side: SealedSide, record: TlsRecord) -> list[Event]:
        if record.type != APPLICATION_DATA and not side.has_switched:
            return [ClearRecord(record.start, record.end, record)]  # the switch is yet to come
        if side.is_unsure:
            side.unread += 1
        else:
            side.fail(record)
        return [ClosedRecord(record.start, record.end, record)]

    def _message(
        self, side: SealedSide, message: HandshakeMessage, record: TlsRecord, events: list[Event]
    ) -> None:
        """Take an encrypted handshake message, which may be followed by another key."""
        place = record.start, record.end
        found: Event = HandshakeMessage(*place, message.type, message.size, message.body)
        if message.type in _READ:
            try:
                found = _READ[message.type](message.body, *place)
            except Malformed as error:
                found = diagnose("tls-hello-invalid", *place, str(error))
        events.append(found)
        following = _FOLLOWING.get((side.epoch, message.type))
        if following is not None:
            side.shift(following)
        elif isinstance(found, EncryptedExtensions):
            self.keys.early_data = found.has_early_data
        elif isinstance(found, ClientHello | ServerHello):
            self.keys.renegotiate(found)


def _shortcomings(side: SealedSide) -> Iterator[str]:
    """Yield why not all that a side sent was decrypted."""
    if side.why:
        yield side.why
    elif side.closed:
        yield f"{amount(side.closed, 'record')} from the {side.sender} did not open: not its keys"
    if side.is_joined:
        yield "the beginning is not in the capture"
    if side.lost:
        yield f"{amount(side.lost, 'byte')} from the {side.sender} are not in the capture"
    if side.unread:
        yield f"{amount(side.unread, 'record')} from the {side.sender} came before its keys"
