"""Whether somebody listens on a port of this machine: asked of the kernel, not by connecting."""

from __future__ import annotations

from pathlib import Path

TABLES = ("tcp", "tcp6")
LISTEN = "0A"
"""TCP_LISTEN (include/net/tcp_states.h), as /proc/net/tcp has it."""


def is_listening(port: int, process: int | None = None) -> bool:
    """Return whether a TCP socket listens on ``port``, on any address.

    It is looked for in this network namespace, or in that of ``process``.
    """
    ending = f":{port:04X}"
    for table in TABLES:
        try:
            lines = Path(f"/proc/{process or 'self'}/net/{table}").read_text("ascii").splitlines()
        except OSError:
            continue  # no IPv6, or the process has ended
        for line in lines[1:]:
            _, local, _, state, *_ = line.split(maxsplit=4)
            if state == LISTEN and local.endswith(ending):
                return True
    return False
