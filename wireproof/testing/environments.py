"""Where the servers of a test run, and by what they are recorded.

Strategy: a place is where sockets are made, processes started and packets recorded. The first one
that this machine and user permit is taken: the machine itself with a packet socket; a network
namespace of its own; the machine itself with a relay, which records what it reads.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

from capture import NamespaceUnavailable, Relay
from capture.output import TakeSecrets
from capture.ports import naming_port

from .. import __version__
from .captures import Recorder
from .processes import Popen

ABOUT: dict[str, Any] = {"comment": "wireproof's pytest plugin", "version": __version__}
"""What a recording says of itself."""
NO_PACKET_SOCKET = (
    "this process may not open a packet socket: run as root, or let wireproof choose what works"
)
NO_CAPTURE = (
    "wire.capture records other programs' packets, which needs the right to open a packet socket:"
    " run as root; or run the tests, with all that they talk to, in a network namespace:"
    " wireproof capture --backend namespace --port N -o FILE -- pytest. What wire.serve starts can"
    " be recorded without it"
)


class BackendUnavailable(Exception):
    """What is asked for cannot be recorded here; the message says why, and what would help."""


MakeSocket = Callable[[int, int, int], socket.socket]


class Place(Protocol):
    """Where servers run."""

    name: str
    """As ``--wire-backend`` has it."""

    @property
    def popen(self) -> Popen:
        """Starts a process there."""

    def listen(self, host: str, port: int | None) -> socket.socket:
        """Return a socket that is bound there, to a port that is free if none is given."""

    def record(
        self, path: str, port: int | Sequence[int], secrets: TakeSecrets = bytes
    ) -> Recorder:
        """Return what records a port there into a file, with what is new of a key log."""

    def reach(self, host: str, port: int, stack: ExitStack) -> tuple[str, int]:
        """Return where clients of the test connect to reach a port there, until the stack ends."""

    def close(self) -> None:
        """Leave nothing of it."""


class Machine:
    """The machine itself, with a packet socket."""

    name = "packet-socket"
    popen: Popen = subprocess.Popen

    def listen(self, host: str, port: int | None) -> socket.socket:
        return bound(host, port, socket.socket)

    def record(
        self, path: str, port: int | Sequence[int], secrets: TakeSecrets = bytes
    ) -> Recorder:
        from capture import Recorder as PacketRecorder

        return PacketRecorder(path, port=port, secrets=secrets, **ABOUT)

    def reach(self, host: str, port: int, stack: ExitStack) -> tuple[str, int]:
        return host, port

    def close(self) -> None:
        """Nothing is held."""


class Inside:
    """A network namespace of our own: servers run in it, and a forwarder leads to each of them."""

    name = "namespace"

    def __init__(self) -> None:
        from capture import Namespace

        self._namespace = Namespace()
        self._namespace.__enter__()

    @property
    def popen(self) -> Popen:
        return self._namespace.popen

    def listen(self, host: str, port: int | None) -> socket.socket:
        return bound(host, port, self._namespace.socket)

    def record(
        self, path: str, port: int | Sequence[int], secrets: TakeSecrets = bytes
    ) -> Recorder:
        from capture import Recorder as PacketRecorder

        return PacketRecorder(
            path,
            port=port,
            secrets=secrets,
            **ABOUT,
            make_socket=self._namespace.socket,
        )

    def reach(self, host: str, port: int, stack: ExitStack) -> tuple[str, int]:
        return "127.0.0.1", stack.enter_context(self._namespace.forward(port))

    def close(self) -> None:
        self._namespace.__exit__(None, None, None)


class Relayed(Machine):
    """The machine itself, with a relay before each server: packet boundaries are its reads."""

    name = "relay"

    def __init__(self) -> None:
        self._relays: dict[int, Relay] = {}

    def record(
        self, path: str, port: int | Sequence[int], secrets: TakeSecrets = bytes
    ) -> Recorder:
        assert isinstance(port, int)  # a server has one
        relay = Relay(path, port=port, secrets=secrets, **ABOUT)
        self._relays[port] = relay
        return relay

    def reach(self, host: str, port: int, stack: ExitStack) -> tuple[str, int]:
        return "127.0.0.1", self._relays[port].port


def bound(host: str, port: int | None, make_socket: MakeSocket) -> socket.socket:
    """Return a TCP socket that has a port, and does not listen yet; an OSError names the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = make_socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # So that a command that sets it too can bind the port while it is held for it.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with naming_port(host, port or 0, is_here=make_socket is socket.socket):
            sock.bind((host, port or 0))
    except BaseException:
        sock.close()
        raise
    return sock


def can_capture() -> bool:
    """Return whether this process may open a packet socket, which only Linux has."""
    if sys.platform != "linux":
        return False
    from capture import can_capture

    return can_capture()


def choose(wanted: str) -> Place:
    """Return the place that is wanted, or with ``auto`` the first that works.

    Raises BackendUnavailable for one that does not.
    """
    __tracebackhide__ = True
    if wanted == "relay" or (wanted == "auto" and sys.platform != "linux"):
        return Relayed()
    if sys.platform != "linux":
        raise BackendUnavailable(f"--wire-backend {wanted}: only Linux has it; relay works here")
    if wanted != "namespace" and can_capture():
        return Machine()
    if wanted == "packet-socket":
        raise BackendUnavailable(f"--wire-backend packet-socket: {NO_PACKET_SOCKET}")
    try:
        return Inside()
    except NamespaceUnavailable as error:
        if wanted == "auto":
            return Relayed()
        raise BackendUnavailable(f"--wire-backend {wanted}: {error}") from None


def check_may_capture() -> None:
    """Raise BackendUnavailable unless other programs' packets can be recorded."""
    __tracebackhide__ = True
    if not can_capture():
        raise BackendUnavailable(NO_CAPTURE)
