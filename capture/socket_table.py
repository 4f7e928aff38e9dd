"""The kernel's table of TCP sockets: what is known of them without touching them.

Only Linux has it (proc(5), /proc/net/tcp and tcp6); elsewhere it is empty.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TABLES = ("tcp", "tcp6")
LISTEN = "0A"
"""TCP_LISTEN (include/net/tcp_states.h), as the table has it."""


class Socket(NamedTuple):
    """A TCP socket of this machine."""

    address: str
    """Its own, in hexadecimal digits: words of four bytes in the machine's own order."""
    port: int
    peer_port: int
    state: str
    unacknowledged: int
    """Bytes that it has sent, or will, and that its peer has not acknowledged; a FIN is one."""
    inode: int
    """By which /proc tells whose it is; 0 if it is nobody's any more."""


def sockets(process: int | None = None) -> Iterator[Socket]:
    """Yield the TCP sockets of this network namespace, or of that of ``process``."""
    for table in TABLES:
        try:
            lines = Path(f"/proc/{process or 'self'}/net/{table}").read_text("ascii").splitlines()
        except OSError:
            continue  # no IPv6, the process has ended, or this is not Linux
        for line in lines[1:]:
            _, local, peer, state, queues, _, _, _, _, inode, *_ = line.split(maxsplit=10)
            address, _, port = local.partition(":")
            sent = 0 if state == LISTEN else int(queues.partition(":")[0], 16)
            peer_port = int(peer.partition(":")[2], 16)
            yield Socket(address, int(port, 16), peer_port, state, sent, int(inode))


def address_text(digits: str) -> str:
    """Return an address as it is written: the kernel has words of four bytes in its own order."""
    words = [int(digits[start : start + 8], 16) for start in range(0, len(digits), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
