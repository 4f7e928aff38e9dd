"""The key log that a peer of TLS or QUIC writes: secrets by client random (RFC 9850).

    keys = KeyLog.open("sslkeys.log")
    keys.of(client_random)["SERVER_TRAFFIC_SECRET_0"]

Strategy: one expression finds the lines that say something; all others are passed over, for the
last line is often half written, and libraries add labels of their own. Lines come in any order and
more than once: of two the last one counts. A file may grow while it is read: it is looked at again
when a secret is missed (:meth:`KeyLog.refresh`), and never before. Of what is held the oldest goes
when there is too much. A secret is never shown, not even by ``repr``.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from ..expressions import when_used
from ..limits import MAX_KEY_LOG_CONNECTIONS, MAX_KEY_LOG_LINE

V = TypeVar("V")

# TLS 1.3 and QUIC, RFC 9850 section 2.1: as long as the cipher suite's hash.
CLIENT_EARLY: Final = "CLIENT_EARLY_TRAFFIC_SECRET"
CLIENT_HANDSHAKE: Final = "CLIENT_HANDSHAKE_TRAFFIC_SECRET"
SERVER_HANDSHAKE: Final = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
CLIENT_TRAFFIC: Final = "CLIENT_TRAFFIC_SECRET_0"
SERVER_TRAFFIC: Final = "SERVER_TRAFFIC_SECRET_0"
# Up to TLS 1.2, section 2.2: the master secret, of 48 bytes.
MASTER: Final = "CLIENT_RANDOM"

_TRAFFIC = "|".join(
    (CLIENT_EARLY, CLIENT_HANDSHAKE, SERVER_HANDSHAKE, CLIENT_TRAFFIC, SERVER_TRAFFIC)
)
_HEX = "[0-9A-Fa-f]"
# The last two are no RFC's: NSS's, by the first eight bytes of the encrypted premaster secret, and
# those of agents for Java, by the number of the session.
_LINE = when_used(
    rf"""(?<![^\r\n])
    (?: (?P<label>{_TRAFFIC})[ ](?P<random>{_HEX}{{64}})[ ](?P<traffic>{_HEX}{{64}}|{_HEX}{{96}})
    | {MASTER}[ ](?P<client>{_HEX}{{64}})[ ](?P<master>{_HEX}{{96}})
    | RSA[ ](?P<sealed>{_HEX}{{16}})[ ](?P<premaster>{_HEX}{{96}})
    | RSA[ ]Session-ID:(?P<session>(?:{_HEX}{{2}}){{1,32}})[ ]Master-Key:(?P<resumed>{_HEX}{{96}})
    )[ \t]*(?![^\r\n])""".encode(),
    re.VERBOSE,
)
_STEP = 1 << 20
"""Bytes of a file that are looked through at once."""


class Secret(bytes):
    """A secret, which no message and no traceback shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<secret of {len(self)} bytes>"

    __str__ = __repr__


class KeyLog:
    """The secrets that are known, and where more may come from."""

    def __init__(self) -> None:
        self.revision = 0
        """How many secrets have come: whether anything is new."""
        self._connections: dict[bytes, dict[str, Secret]] = {}
        self._sessions: dict[bytes, Secret] = {}
        self._premasters: dict[bytes, Secret] = {}
        self._file: _GrowingFile | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> KeyLog:
        """Read a file, and go on with it when it grows. Raises OSError if it cannot be read."""
        keys = cls()
        keys._file = _GrowingFile(path)
        for text in keys._file.read():
            keys.read(text)
        return keys

    @property
    def path(self) -> str | None:
        """The file that it reads, None if there is none."""
        return None if self._file is None else os.fspath(self._file.path)

    def __repr__(self) -> str:
        return f"<KeyLog of {len(self):,} connections>"

    def __len__(self) -> int:
        """Return of how many connections, sessions and key exchanges secrets are held."""
        return len(self._connections) + len(self._sessions) + len(self._premasters)

    def read(self, text: bytes) -> None:
        """Take the lines of a text; what does not fit is passed over."""
        for line in _LINE.finditer(text):
            self.revision += 1
            if line["label"] is not None:
                self._add(line["random"], line["label"].decode(), line["traffic"])
            elif line["client"] is not None:
                self._add(line["client"], MASTER, line["master"])
            elif line["sealed"] is not None:
                _hold(self._premasters, _bytes(line["sealed"]), Secret(_bytes(line["premaster"])))
            else:
                _hold(self._sessions, _bytes(line["session"]), Secret(_bytes(line["resumed"])))

    def of(self, client_random: bytes) -> Mapping[str, Secret]:
        """Return a connection's secrets by their labels, as far as they are known.

        ``client_random`` is that of its first ClientHello; of the inner one with ECH.
        """
        return self._connections.get(client_random, {})

    def of_session(self, session_id: bytes) -> Secret | None:
        """Return the master secret that was logged by the number of a session (TLS 1.2)."""
        return self._sessions.get(session_id)

    def of_premaster(self, encrypted: bytes) -> Secret | None:
        """Return the premaster secret that a client sent, encrypted with RSA (TLS 1.2)."""
        return self._premasters.get(encrypted[:8])

    def newest(self) -> Iterator[tuple[bytes, Mapping[str, Secret]]]:
        """Yield client randoms and their secrets, the newest first: for keys to be tried."""
        yield from list(reversed(self._connections.items()))

    @property
    def may_grow(self) -> bool:
        """Whether there is a file that may be written to."""
        return self._file is not None and self._file.may_grow

    def refresh(self) -> bool:
        """Look whether the file has grown; return whether that brought secrets."""
        before = self.revision
        if self._file is not None:
            for text in self._file.read_on():
                self.read(text)
        return self.revision != before

    def _add(self, random: bytes, label: str, secret: bytes) -> None:
        key, value = _bytes(random), Secret(_bytes(secret))
        known = self._connections.get(key)
        if known is None:
            _hold(self._connections, key, {label: value})
        else:
            known[label] = value


def _bytes(text: bytes) -> bytes:
    return bytes.fromhex(text.decode())


def _hold(held: dict[bytes, V], key: bytes, value: V) -> None:
    """Add a secret; the oldest goes where there is no room."""
    if len(held) >= MAX_KEY_LOG_CONNECTIONS and key not in held:
        del held[next(iter(held))]
    held[key] = value


class _GrowingFile:
    """A file that others append to: its text, as far as it has come."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._identity = (0, 0)  # device and inode
        self._size = 0  # what has been read
        self._rest = b""  # of a line whose end has not
        self.may_grow = False

    def read(self) -> Iterator[bytes]:
        """Yield the file from its beginning. Raises OSError."""
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno())
            self._identity = found.st_dev, found.st_ino
            self._size, self._rest = 0, b""
            self.may_grow = stat.S_ISREG(found.st_mode)
            yield from self._read_from(file)

    def read_on(self) -> Iterator[bytes]:
        """Yield what has been appended; the whole if the file is another one by now."""
        if not self.may_grow:
            return
        try:
            found = self.path.stat()
            if (found.st_dev, found.st_ino) != self._identity or found.st_size < self._size:
                yield from self.read()
            elif found.st_size > self._size:
                with self.path.open("rb") as file:
                    file.seek(self._size)
                    yield from self._read_from(file)
        except OSError:
            self._identity = (0, 0)  # it has been moved away: the next one of its name is another

    def _read_from(self, file: BinaryIO) -> Iterator[bytes]:
        """Yield texts that begin where lines do; the last line may come again when it has grown."""
        while data := file.read(_STEP):
            self._size += len(data)
            text = self._rest + data
            self._rest = text[max(text.rfind(b"\n"), text.rfind(b"\r")) + 1 :]
            if len(self._rest) > MAX_KEY_LOG_LINE:
                self._rest = b"#"  # it says nothing, and so the rest of it does not either
            yield text
