"""The secrets of a command's TLS connections, as the command itself writes them down.

Strategy: programs that can log their secrets (RFC 9850) are told in the environment into which
file. It lies in a folder that its owner alone can read and is gone with the command, however that
ended, and with us, however we end: a process of a few lines waits for that, and removes it. The
recording asks for what is new whenever it writes packets: no thread, no waiting. A file that the
user has named already, in ``SSLKEYLOGFILE``, is read from its present end on, and stays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

VARIABLE = "SSLKEYLOGFILE"
"""What OpenSSL's users, NSS, BoringSSL and GnuTLS look at (RFC 9850 section 2)."""
NODE_VARIABLE = "NODE_OPTIONS"
NODE_OPTION = "--tls-keylog="
"""node looks at no variable for it; in ``NODE_OPTIONS`` since 12.16."""
NAME = "keys.log"
REMOVER = "import shutil, sys; sys.stdin.buffer.read(); shutil.rmtree(sys.argv[1], True)"
MAX_LINE = 4_096
"""Bytes of a line that is not whole yet; the longest that anyone writes has 242."""


class KeyLog:
    """A key log for a command to write, in the ``with`` block in which it runs.

    ``given`` is the file that ``SSLKEYLOGFILE`` names already, if it does. :meth:`take` is for any
    thread, within the block and after it.
    """

    def __init__(self, given: str | None = None) -> None:
        self._path = Path(given) if given else None
        self._at = 0
        self._left = b""
        """Taken from the file, and not asked for yet: what came last."""
        self._lock = threading.Lock()
        self._resources = ExitStack()
        self.has_keys = False
        """Whether anything has been taken."""

    def __enter__(self) -> Self:
        if self._path is None:
            folder = TemporaryDirectory(prefix="wireproof-keys-", ignore_cleanup_errors=True)
            self._resources.enter_context(_outlived(folder.name))
            self._path = Path(self._resources.enter_context(folder), NAME)
        else:
            self._at = _size(self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock, self._resources:
            self._left += self._read()
            self._path = None
            if self._left and not self._left.endswith(b"\n"):
                self._left += b"\n"

    @property
    def path(self) -> str:
        """Where the secrets are to be written."""
        return str(self._path)

    def environment(self, before: Mapping[str, str]) -> dict[str, str]:
        """Return what a command is told beside ``before``, which stays as it is otherwise."""
        told = {VARIABLE: self.path}
        options = before.get(NODE_VARIABLE, "")
        if NODE_OPTION not in options:
            told[NODE_VARIABLE] = f"{options} {NODE_OPTION}{_quoted(self.path)}".lstrip()
        return told

    def take(self) -> bytes:
        """Return the lines that were written since this was asked last, but for comments, which
        OpenSSL writes even where there is no TLS (RFC 9850 section 2)."""
        with self._lock:
            text = self._left + self._read()
            end = text.rfind(b"\n") + 1
            self._left = text[end:][-MAX_LINE:]
            lines = text[:end].splitlines(keepends=True)
            keys = b"".join(line for line in lines if line.strip() and not line.startswith(b"#"))
            self.has_keys |= bool(keys)
            return keys

    def _read(self) -> bytes:
        """Return what the file has more than before; it may not be there yet, or begin anew."""
        if self._path is None or (size := _size(self._path)) == self._at:
            return b""
        if size < self._at:
            self._at = 0
        with self._path.open("rb") as stream:
            stream.seek(self._at)
            data = stream.read()
        self._at += len(data)
        return data


@contextmanager
def _outlived(folder: str) -> Iterator[None]:
    """Have a process remove a folder when this one is gone, even killed.

    It reads a pipe that nobody writes to. It is in a session of its own, where no terminal's
    signals reach it.
    """
    if os.name != "posix":
        yield
        return
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", REMOVER, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    ):
        yield


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _quoted(path: str) -> str:
    """Return a path as a word of ``NODE_OPTIONS``, where quotes keep spaces together."""
    if " " not in path:
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
