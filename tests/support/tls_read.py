"""What comes of a dialogue of TLS and a key log: content, by side, and what stays closed."""

from __future__ import annotations

from support.talk import Side

from parsers.diagnostics import Diagnostic
from parsers.tls.decryption import ClosedRecord, Decryption, EndOfSide, OpenedRecord
from parsers.tls.handshake import HandshakeMessage
from parsers.tls.key_log import KeyLog
from parsers.tls.sealed_side import LostContent
from parsers.tls.side import TlsSideDecoder

DATA, ALERT, MESSAGES = 23, 21, 22
Piece = tuple[Side, bytes | int]
"""What a side sent, or how many bytes of it are missing."""


class Source:
    """A key log, and what comes into it ``later``, when it is looked at again."""

    is_possible, waiting = True, 0

    def __init__(self, text: bytes, *, later: bytes = b"", waits: bool = False) -> None:
        self.log, self.waits = KeyLog(), waits
        self.log.read(text)
        self._later = later

    def refresh(self) -> bool:
        has_more = bool(self._later)
        self.log.read(self._later)
        self._later = b""
        return has_more


class Read:
    """What came of a dialogue, by side: content, lost bytes, and records that stayed closed."""

    def __init__(self, source: Source, *, is_joined: bool = False) -> None:
        self.decryption = Decryption(source)
        self._decoders = {side: TlsSideDecoder(keeps_all=True) for side in ("client", "server")}
        self.content: dict[Side, list[bytes | int]] = {"client": [], "server": []}
        self.closed: dict[Side, int] = {"client": 0, "server": 0}
        self.messages: list[int] = []
        self.faults: list[str] = []
        self.ended: list[Side] = []
        for side in self.content:
            self.decryption.begin(side, 0, is_joined=is_joined)

    def take(self, pieces: list[Piece]) -> Read:
        for sender, data in pieces:
            decoder = self._decoders[sender]
            found = (
                decoder.receive_gap(data) if isinstance(data, int) else decoder.receive_data(data)
            )
            for event in found:
                self._note(self.decryption.receive(sender, event))
        return self

    def receive_run(self, sender: Side, records: list[bytes]) -> None:
        """Let a side's decoder know of records that another has read."""
        self._decoders[sender].pass_over(sum(map(len, records)))

    def end(self) -> Read:
        for sender in self.content:
            for event in self._decoders[sender].receive_eof("close"):
                self._note(self.decryption.receive(sender, event))
            unread = self._decoders[sender].unread
            self._note(self.decryption.end(sender, "close", unread))
        return self

    def _note(self, results) -> None:
        for sender, found in results:
            match found:
                case OpenedRecord(type=kind, content=content) if kind == DATA and content:
                    self.content[sender].append(content)
                case LostContent(length=length):
                    self.content[sender].append(length)
                case ClosedRecord():
                    self.closed[sender] += 1
                case HandshakeMessage(type=kind):
                    self.messages.append(kind)
                case Diagnostic(code=code):
                    self.faults.append(code)
                case EndOfSide():
                    self.ended.append(sender)
