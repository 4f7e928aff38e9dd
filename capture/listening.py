"""Whether somebody listens on a port of this machine: asked of the kernel, not by connecting."""

from __future__ import annotations

from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTEN = "0A"
"""TCP_LISTEN (include/net/tcp_states.h), as /proc/net/tcp has it."""


def is_listening(port: int) -> bool:
    """Return whether a TCP socket of this network namespace listens on ``port``, on any address."""
    ending = f":{port:04X}"
    for table in TABLES:
        if not table.exists():
            continue  # no IPv6
        with table.open() as lines:
            next(lines)
            for line in lines:
                _, local, _, state, *_ = line.split(maxsplit=4)
                if state == LISTEN and local.endswith(ending):
                    return True
    return False
