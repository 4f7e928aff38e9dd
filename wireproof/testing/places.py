"""Where the servers of a test run, and by what they are recorded.

Strategy: a place is where sockets are made, processes started and packets recorded. The first one
that this machine and user permit is taken: the machine itself with a packet socket; a network
namespace of its own; the machine itself with a relay, which records what it reads.
"""

from __future__ import annotations

import socket
import subprocess
from typing import Protocol

from capture import Recorder as PacketRecorder
from capture import can_capture

from .. import __version__
from .captures import Recorder
from .processes import Popen

COMMENT = "wireproof's pytest plugin"


class Place(Protocol):
    """Where servers run."""

    name: str
    """As ``--wire-backend`` has it."""
    popen: Popen
    """Starts a process there."""

    def listen(self, host: str, port: int | None) -> socket.socket:
        """Return a socket bound there, to a port that is free if none is given."""

    def record(self, path: str, port: int) -> Recorder:
        """Return what records a port there into a file."""

    def reach(self, host: str, port: int) -> tuple[str, int]:
        """Return where clients of the test connect to reach a port there."""

    def close(self) -> None:
        """Leave nothing of it."""


class Machine:
    """The machine itself, with a packet socket."""

    name = "packet"
    popen: Popen = subprocess.Popen

    def listen(self, host: str, port: int | None) -> socket.socket:
        return bound(host, port)

    def record(self, path: str, port: int) -> Recorder:
        return PacketRecorder(path, port=port, comment=COMMENT, version=__version__)

    def reach(self, host: str, port: int) -> tuple[str, int]:
        return host, port

    def close(self) -> None:
        """Nothing is held."""


def bound(host: str, port: int | None) -> socket.socket:
    """Return a TCP socket that has a port, and does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # So that a command that sets it too can bind the port while it is held for it.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port or 0))
    except BaseException:
        sock.close()
        raise
    return sock


def choose(wanted: str) -> Place:
    """Return the place that is wanted, or with ``auto`` the first that works."""
    if wanted in ("auto", "packet") and can_capture():
        return Machine()
    raise NotImplementedError(wanted)


def check_may_capture() -> None:
    raise NotImplementedError
