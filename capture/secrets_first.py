"""A recording with its secrets before its packets, where every reader looks for them.

Strategy: secrets come while packets are recorded, so their blocks (draft-ietf-opsawg-pcapng section
4.7) stand among those of the packets they open. We read them anywhere; tshark wants them before.
One pass over the blocks' headers finds them, another copies the file with them behind its section
header. The copy takes the file's place in one step: whoever opens it finds one or the other, whole.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from parsers import DECRYPTION_SECRETS, SECTION_HEADER

from .pcapng_writer import BLOCK_HEADER

COPY_SIZE = 1024 * 1024
Span = tuple[int, int]
"""Where something begins and ends in a file."""


def put_secrets_first(path: Path) -> bool:
    """Put the secrets of a recording of ours before its packets; return whether it has any.

    Raises OSError if there is no room for a copy: the file is then as it was.
    """
    with path.open("rb") as source:
        if not _secrets(source):
            return False
        # Its owner's alone from the first byte on.
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as target:
                copy_secrets_first(source, target)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink()
            raise
    return True


def copy_secrets_first(source: BinaryIO, target: BinaryIO) -> None:
    """Copy a recording of ours with its secrets before its packets."""
    spans = _secrets(source)
    header_end = _block_end(source, 0) if spans else 0
    for start, end in [(0, header_end), *spans]:
        _copy(source, target, start, end)
    at = header_end
    for start, end in spans:
        _copy(source, target, at, start)
        at = end
    source.seek(at)
    shutil.copyfileobj(source, target)


def _secrets(source: BinaryIO) -> list[Span]:
    """Return where the blocks of secrets are; a file that breaks off ends at its last whole one."""
    found: list[Span] = []
    at = 0
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    while len(header := source.read(BLOCK_HEADER.size)) == BLOCK_HEADER.size:
        kind, length = BLOCK_HEADER.unpack(header)
        end = at + length
        if end > size or length <= BLOCK_HEADER.size or (not at and kind != SECTION_HEADER):
            break
        if kind == DECRYPTION_SECRETS:
            found.append((at, end))
        source.seek(end)
        at = end
    return found


def _block_end(source: BinaryIO, at: int) -> int:
    source.seek(at)
    return at + int(BLOCK_HEADER.unpack(source.read(BLOCK_HEADER.size))[1])


def _copy(source: BinaryIO, target: BinaryIO, start: int, end: int) -> None:
    source.seek(start)
    left = end - start
    while left and (data := source.read(min(left, COPY_SIZE))):
        target.write(data)
        left -= len(data)
