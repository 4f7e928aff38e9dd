"""Ways to record, from the best to the one that always works; the first that works is chosen.

The same everywhere by name: what only Linux has says so elsewhere, where scapy is the first.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

from ..errors import CaptureNotPermitted
from .base import Backend, Session, Wanted
from .namespace import InNamespace
from .packet_socket import PacketSocket
from .relay import ByRelay
from .scapy import ByScapy
from .tools import ByDumpcap, ByTcpdump

__all__ = ["BACKENDS", "Backend", "Session", "Wanted", "choose"]

LINUX: tuple[Backend, ...] = (PacketSocket(), ByDumpcap(), ByTcpdump(), InNamespace())
EVERYWHERE: tuple[Backend, ...] = (ByScapy(), ByRelay())
BACKENDS: tuple[Backend, ...] = (
    LINUX + EVERYWHERE if sys.platform == "linux" else (EVERYWHERE[0], *LINUX, *EVERYWHERE[1:])
)


def choose(
    wanted: Wanted, name: str | None = None, *, among: Collection[str] | None = None
) -> Backend:
    """Return the first backend that works and can record what is wanted, or the one so named.

    ``among`` are the names of those that will do. Raises CaptureNotPermitted if there is none,
    with what each lacks.
    """
    lacking = []
    for backend in BACKENDS:
        if name not in (None, backend.name):
            continue
        if among is not None and backend.name not in among:
            reason: str | None = "cannot be used here"
        else:
            reason = backend.refuses(wanted) or backend.lacks()
        if reason is None:
            return backend
        lacking.append(f"{backend.name}: {reason}")
    raise CaptureNotPermitted("; ".join(lacking))
