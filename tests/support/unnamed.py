"""What is written to files that have no name until they are whole, as Linux shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


def unnamed(folder: Path) -> Iterator[bytes]:
    """Yield what stands in each such file of a folder, whichever process has it open."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # the process is gone, or closed it
            place = str(link.readlink())
            if place.startswith(f"{folder}/") and place.endswith(" (deleted)"):
                yield link.read_bytes()
