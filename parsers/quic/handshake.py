"""The handshake of TLS 1.3 in CRYPTO frames: what both sides said in it (RFC 9001 section 4).

Strategy: CRYPTO frames of each level are a stream of handshake messages of their own, without
records. Hellos are readable by everyone, EncryptedExtensions with the handshake keys.
"""

from __future__ import annotations

from collections.abc import Callable

from ..diagnostics import Diagnostic, amount, diagnose
from ..limits import MAX_QUIC_CRYPTO, MAX_TLS_HELLO
from ..provenance import Completion
from ..tls.handshake import (
    CLIENT_HELLO,
    ENCRYPTED_EXTENSIONS,
    SERVER_HELLO,
    HandshakeMessage,
    HandshakeReader,
)
from ..tls.hello import (
    ClientHello,
    EncryptedExtensions,
    Malformed,
    ServerHello,
    read_client_hello,
    read_encrypted_extensions,
    read_server_hello,
)
from .frames import Crypto
from .streams import Reassembler, Room

FINISHED = 20
Hello = ClientHello | ServerHello | EncryptedExtensions
_READ: dict[int, Callable[[bytes, int, int], Hello]] = {
    CLIENT_HELLO: read_client_hello,
    SERVER_HELLO: read_server_hello,
    ENCRYPTED_EXTENSIONS: read_encrypted_extensions,
}


class CryptoStream:
    """One side's handshake at one level."""

    def __init__(self, room: Room) -> None:
        self._reassembler = Reassembler(room)
        self._messages = HandshakeReader(frozenset(_READ))

    def receive(self, frame: Crypto, came: Completion) -> list[HandshakeMessage]:
        """Take a CRYPTO frame; return the messages that are whole by that."""
        found: list[HandshakeMessage] = []
        start = self._reassembler.size
        for data, _ in self._reassembler.insert(frame.offset, frame.data, came):
            found += self._messages.read(data, start)
            start += len(data)
        return found


class Handshake:
    """What the messages of both sides say."""

    def __init__(self) -> None:
        self.client_hello: ClientHello | None = None
        self.server_hello: ServerHello | None = None
        self.encrypted_extensions: EncryptedExtensions | None = None
        self.is_retried = False
        """Whether the server asked for another ClientHello."""
        self.first: Completion | None = None
        """The packet of the first message."""
        self.times: dict[str, float] = {}
        """When the first message of a kind was complete: ``client_hello``,
        ``server_hello``, ``client_finished``, ``server_finished``."""

    def receive(
        self, sender: str, message: HandshakeMessage, came: Completion
    ) -> Diagnostic | None:
        """Take a message; return the fault of one that is malformed."""
        self.first = self.first or came
        if message.type == FINISHED:
            self.times.setdefault(f"{sender}_finished", came[1])
        read = _READ.get(message.type)
        if read is None:
            return None
        place = message.start, message.end
        if message.size > MAX_TLS_HELLO:
            return diagnose("tls-hello-limit", *place, amount(message.size, "byte"))
        try:
            self._take(read(message.body, *place), came)
        except Malformed as error:
            return diagnose("tls-hello-invalid", *place, str(error))
        return None

    def _take(self, found: Hello, came: Completion) -> None:
        match found:
            case ClientHello() if self.client_hello is None:
                self.client_hello = found
                self.times["client_hello"] = came[1]
            case ServerHello(is_retry=True):
                self.is_retried = True
            case ServerHello() if self.server_hello is None:
                self.server_hello = found
                self.times["server_hello"] = came[1]
            case EncryptedExtensions() if self.encrypted_extensions is None:
                self.encrypted_extensions = found

    def parameters(self, sender: str) -> bytes | None:
        """Return a side's transport parameters as they stand, None if they are not known."""
        found = self.client_hello if sender == "client" else self.encrypted_extensions
        return None if found is None else found.transport_parameters


def new_crypto_room() -> Room:
    """Return how much of one side's handshake may wait."""
    return Room(MAX_QUIC_CRYPTO)
