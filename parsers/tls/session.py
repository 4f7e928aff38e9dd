"""What is known of a TLS connection without keys: facts of both sides, put together.

Strategy: hellos say what was agreed on. From there on only sizes are seen: in TLS 1.3 all that is
encrypted has the same type, and an alert or a Finished is told by its length (RFC 8446 section
5.2). What is a sign and no proof is told apart from what is known.
"""

from __future__ import annotations

from ..diagnostics import Diagnostic
from ..provenance import Ending, Event
from ..records import Sender
from .alerts import CLOSE_NOTIFY
from .handshake import SERVER_HELLO_DONE, HandshakeMessage
from .hello import ClientHello, ServerHello
from .records import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, TlsRecord
from .side import Alert

_FATAL = 2
_TLS13 = "TLSv1.3"
_CCM_8 = 0x1305
_SHA384 = (0x1302,)
_FINISHED_AMONG = 3
"""Encrypted records of a client among which its Finished is: a certificate takes two more."""


class SideFacts:
    """What one side sent."""

    def __init__(self) -> None:
        self.records = 0
        self.has_close_notify = False
        """Whether it said in the clear that it sends no more."""
        self.last: TlsRecord | None = None
        self.encrypted = 0
        """Records of the type of application data, which in TLS 1.3 all encrypted ones have."""
        self.has_switched = False
        """Whether it sent a ChangeCipherSpec."""
        self.is_whole = True
        """Whether no record can have passed unseen."""
        self.ending: Ending | None = None
        self.ends_at_border = False
        self.finished: TlsRecord | None = None

    @property
    def last_of_all(self) -> TlsRecord | None:
        """The record with which it ended; None if it did not, or not with a whole one."""
        is_over = self.ending in ("close", "reset") and self.ends_at_border
        return self.last if is_over else None


class TlsSession:
    """Takes the events of both sides, and knows what they mean together."""

    def __init__(self) -> None:
        self.sides: dict[Sender, SideFacts] = {"client": SideFacts(), "server": SideFacts()}
        self.client_hello: ClientHello | None = None
        self.server_hello: ServerHello | None = None
        self.is_retried = False
        """Whether the server asked for another ClientHello."""
        self.has_hello_done = False
        """Whether the server sent a ServerHelloDone, as a full handshake of TLS 1.2 has it."""
        self.alert: tuple[Sender, Alert] | None = None
        """The first fatal alert in the clear, and who sent it."""

    def receive(self, sender: Sender, event: Event) -> None:
        """Take what one side sent."""
        match event:
            case TlsRecord():
                self._receive_record(sender, self.sides[sender], event)
            case ClientHello() if self.client_hello is None:
                self.client_hello = event
            case ServerHello(is_retry=True):
                self.is_retried = True
            case ServerHello() if self.server_hello is None:
                self.server_hello = event
            case Alert(level=level, description=description):
                self.sides[sender].has_close_notify |= description == CLOSE_NOTIFY
                if level == _FATAL and self.alert is None:
                    self.alert = sender, event
            case HandshakeMessage(type=kind):
                self.has_hello_done |= kind == SERVER_HELLO_DONE
            case Diagnostic():
                self.lose(sender)

    def count(self, sender: Sender, records: int, last: TlsRecord) -> None:
        """Take note of records of application data that follow one another, up to ``last``."""
        side = self.sides[sender]
        side.records += records
        side.encrypted += records
        side.last = last

    def lose(self, sender: Sender) -> None:
        """Take note that records of one side may have passed unseen."""
        self.sides[sender].is_whole = False

    def end(self, sender: Sender, ending: Ending, is_at_border: bool) -> None:
        """Take note that one side sends no more, and whether that is where a record ends."""
        side = self.sides[sender]
        side.ending, side.ends_at_border = ending, is_at_border

    def _receive_record(self, sender: Sender, side: SideFacts, record: TlsRecord) -> None:
        side.records += 1
        side.last = record
        side.is_whole &= not record.missing
        side.encrypted += record.type == APPLICATION_DATA
        if side.finished is None and self._is_finished(sender, side, record):
            side.finished = record
        side.has_switched |= record.type == CHANGE_CIPHER_SPEC

    def _is_finished(self, sender: Sender, side: SideFacts, record: TlsRecord) -> bool:
        """Whether a record holds a Finished: the first after a switch, or by its length.

        In TLS 1.3 only the client's can be told, and not among early data.
        """
        if self.server_hello is None or not side.is_whole:
            return False
        if self.version != _TLS13:
            return side.has_switched and record.type == HANDSHAKE
        return (
            sender == "client"
            and record.type == APPLICATION_DATA
            and side.encrypted <= _FINISHED_AMONG
            and self.early_data is False
            and record.size == self._sealed(4 + (48 if self._suite in _SHA384 else 32))
        )

    def _sealed(self, size: int) -> int:
        """Return the length of a record of TLS 1.3 with ``size`` bytes (RFC 8446 section 5.2)."""
        return size + 1 + (8 if self._suite == _CCM_8 else 16)

    @property
    def _suite(self) -> int | None:
        return None if self.server_hello is None else self.server_hello.cipher_suite

    @property
    def version(self) -> str | None:
        """``TLSv1.3``, as ServerHello chose; None without one."""
        return None if self.server_hello is None else self.server_hello.version

    @property
    def alpn(self) -> str | None:
        """The protocol that was chosen, where it is in the clear: up to TLS 1.2."""
        return None if self.server_hello is None else self.server_hello.alpn

    @property
    def early_data(self) -> bool | None:
        """Whether the client sent data before the answer; None without a ClientHello."""
        return None if self.client_hello is None else self.client_hello.has_early_data

    @property
    def resumed(self) -> bool | None:
        """Whether a session goes on, or another known key was taken; None if that is not known.

        Up to TLS 1.2 by the session's number that the server repeats (RFC 5246 section 7.4.1.3), or
        by a handshake without ServerHelloDone (RFC 5077 section 3.1).
        """
        chosen, asked = self.server_hello, self.client_hello
        if chosen is None:
            return None
        if chosen.version == _TLS13:
            return chosen.has_psk
        if asked is not None and asked.session_id and asked.session_id == chosen.session_id:
            return True
        if self.has_hello_done:
            return False
        server = self.sides["server"]
        return True if server.is_whole and server.has_switched else None

    def close_notify(self, sender: Sender) -> bool | None:
        """Whether a side said that it sends no more; None where that is encrypted.

        What is certain without keys is that it did so in the clear, or that its last record is of
        a type that no alert has.
        """
        side = self.sides[sender]
        if side.has_close_notify:
            return True
        last = side.last_of_all
        may_hide = self.version in (None, _TLS13) and side.encrypted
        return None if last is None or last.type == ALERT or may_hide else False

    def ends_with_alert(self, sender: Sender) -> bool | None:
        """Whether a side's last record is an alert, or as long as one; None if it is not there."""
        side = self.sides[sender]
        last = side.last_of_all
        if last is None:
            return None
        if last.type == APPLICATION_DATA and self.version in (None, _TLS13):
            return last.size == self._sealed(2)
        return last.type == ALERT
