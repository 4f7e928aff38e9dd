"""Where the captures of failed tests are kept: ``.wireproof/test_chat.py/test_tokens.pcapng``.

Strategy: a test's name alone says the path, so a failure can name it before the capture is written,
and a test that passes again removes what its last failure left. The folder ignores itself in git.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

FOLDER = ".wireproof"
MAX_NAME = 150
"""Bytes of a test's name in a file's; file systems take 255."""
UNSAFE = re.compile(r"[^\w.\[\]=+,@-]+")
IGNORE = "# Captures that wireproof kept of failed tests.\n*\n"


class Kept:
    """The captures of one test: the first has the test's name, others are numbered from 2."""

    def __init__(self, root: Path, test: str) -> None:
        self._folder = root / FOLDER
        file, _, name = test.partition("::")
        parts = [_safe(part) for part in Path(file).parts if part not in ("/", "..", ".")]
        self._base = self._folder.joinpath(*parts, _safe(name.replace("::", ".") or "test"))

    def path(self, number: int) -> Path:
        """Return where capture ``number``, from 0, is kept."""
        suffix = f"-{number + 1}" if number else ""
        return self._base.with_name(f"{self._base.name}{suffix}.pcapng")

    def prepare(self) -> None:
        """Make the folder."""
        self._base.parent.mkdir(parents=True, exist_ok=True)
        ignore = self._folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(IGNORE, encoding="utf-8")

    def forget(self) -> None:
        """Remove what an earlier run has left of this test."""
        number = 0
        while (path := self.path(number)).exists():
            path.unlink()
            number += 1


def _safe(name: str) -> str:
    """Return a name as a file may have it; one that is changed is told apart by a digest."""
    safe = UNSAFE.sub("_", name)
    if safe == name and len(name.encode()) <= MAX_NAME:
        return safe
    digest = sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{safe.encode()[:MAX_NAME].decode(errors='ignore')}-{digest}"
