"""A port that cannot be listened on: the error names it, and who has it.

Strategy: the kernel's table says which socket listens on a port, and /proc whose it is. Another
user's processes may not be looked into: then the address alone is told. Where there is no such
table, and for a port that is bound and not listened on, the error says no more than the system's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .socket_table import LISTEN, address_text, sockets

PROCESSES = Path("/proc")


@contextmanager
def naming_port(host: str, port: int, *, is_here: bool = True) -> Iterator[None]:
    """Have an OSError of the block name the address that it is about, and who listens there.

    ``is_here`` is whether the port is one of this network namespace.
    """
    try:
        yield
    except OSError as error:
        holder = who_listens(port) if is_here and error.errno == errno.EADDRINUSE else ""
        said = f"{error.strerror}: {holder}" if holder else error.strerror
        raise OSError(error.errno, said, f"{host}:{port}") from error


def who_listens(port: int) -> str:
    """Return in words who listens on a port of this machine; nothing if that is not known."""
    found = [one for one in sockets() if one.state == LISTEN and one.port == port]
    if not found:
        return ""
    where = ", ".join(sorted({address_text(one.address) for one in found}))
    holders = _holders({one.inode for one in found}) or ["another user's process"]
    return f"{' and '.join(holders)} listens on {where}"


def _holders(inodes: set[int]) -> list[str]:
    """Return the processes that have one of these sockets, as far as they may be looked into."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    numbers = sorted(int(one.name) for one in PROCESSES.glob("[0-9]*") if one.name.isdigit())
    return [_described(number) for number in numbers if wanted & _descriptors(number)]


def _descriptors(process: int) -> set[str]:
    """Return what a process has open; nothing of one that has ended, or is another user's."""
    found: set[str] = set()
    with suppress(OSError):
        for one in (PROCESSES / str(process) / "fd").iterdir():
            with suppress(OSError):
                found.add(str(one.readlink()))
    return found


def _described(process: int) -> str:
    if process == os.getpid():
        return "this process"
    name = ""
    with suppress(OSError):
        name = (PROCESSES / str(process) / "comm").read_text(errors="replace").strip()
    shown = "".join(one if one.isprintable() else "?" for one in name)
    return f"{shown or 'a process'} (process {process})"
