"""Whether somebody listens on a port of this machine: asked of the kernel, not by connecting."""

from __future__ import annotations

from collections.abc import Iterator

from ..socket_table import LISTEN, address_text, sockets


def is_listening(port: int, process: int | None = None) -> bool:
    """Return whether a TCP socket listens on ``port``, on any address.

    It is looked for in this network namespace, or in that of ``process``.
    """
    return any(_listening(port, process))


def listening_addresses(port: int) -> list[str]:
    """Return the addresses on which sockets of this network namespace listen on ``port``."""
    return sorted({address_text(found) for found in _listening(port, None)})


def _listening(port: int, process: int | None) -> Iterator[str]:
    """Yield the local address of each such socket, as the kernel has it."""
    for one in sockets(process):
        if one.state == LISTEN and one.port == port:
            yield one.address
