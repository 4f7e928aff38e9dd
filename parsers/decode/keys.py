"""Where a capture's keys come from: a key log beside it, and Decryption Secrets Blocks in it.

Strategy: nothing is looked for before a connection lacks keys. Then the key log's file is read on;
blocks that were read by now are taken, and of a file, which can be read twice, all that are still
to come: a block may stand behind the packets that it opens. Of what is being written keys may
always come later, and what they open waits for them.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..files.blocks import TLS_KEY_LOG
from ..files.input import Readable, Seekable, is_seekable
from ..files.joined import JoinedFiles
from ..files.reader import CaptureReader

if TYPE_CHECKING:
    from ..tls.key_log import KeyLog


class CaptureKeys:
    """The keys of one capture, with those of ``log``; ``waits`` if it is being written."""

    def __init__(
        self,
        log: KeyLog | None,
        reader: CaptureReader | JoinedFiles,
        stream: Readable | JoinedFiles,
        *,
        waits: bool,
    ) -> None:
        self._log = log
        self.waits = waits
        self.waiting = 0
        self._reader = reader
        self._taken = 0  # of the reader's secrets
        self._ahead: Seekable | None = None
        if not waits and reader.format == "pcapng" and is_seekable(stream):
            self._ahead = stream
        self._is_possible: bool | None = None

    @property
    def log(self) -> KeyLog:
        """All that is known."""
        if self._log is None:
            from ..tls.key_log import KeyLog  # few captures have TLS in them

            self._log = KeyLog()
        return self._log

    @property
    def is_possible(self) -> bool:
        """Whether there are keys, or may yet be, and what it takes to use them."""
        if self._is_possible is None:
            if not len(self.log):
                self.refresh()
            self._is_possible = bool(len(self.log) or self.waits) and has_cryptography()
        return self._is_possible

    def refresh(self) -> bool:
        """Look for more keys; return whether any came."""
        before = self.log.revision
        self.log.refresh()
        if self._ahead is not None:
            stream, self._ahead = self._ahead, None
            for kind, text in _secrets_ahead(stream):
                self._take(kind, text)
        secrets = self._reader.secrets
        while self._taken < len(secrets):
            self._take(*secrets[self._taken])
            self._taken += 1
        return self.log.revision != before

    def _take(self, kind: int, text: bytes) -> None:
        if kind == TLS_KEY_LOG:
            self.log.read(text)


def has_cryptography() -> bool:
    """Return whether what decrypts is installed."""
    return find_spec("cryptography") is not None


def _secrets_ahead(stream: Seekable) -> list[tuple[int, bytes]]:
    """Return the secrets of a whole file, which goes back to where it was read."""
    try:
        place = stream.tell()
        stream.seek(0)
    except (OSError, ValueError):  # a pipe, or it is closed by now
        return []
    try:
        reader = CaptureReader(stream)
        for _ in reader.copied(()):
            pass  # packets are passed over
        return reader.secrets
    finally:
        stream.seek(place)
