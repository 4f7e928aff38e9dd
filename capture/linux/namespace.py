"""A private network namespace, for a normal user: real kernel packets without root.

    with Namespace() as ns, Recorder("api.pcapng", port=8000, make_socket=ns.socket):
        ns.popen([sys.executable, "-m", "uvicorn", "myapp:app"])
        with ns.forward(8000) as port:
            httpx.get(f"http://127.0.0.1:{port}/")

Strategy: a holder process makes the namespace and keeps it (``spawn_child``). A socket
belongs to the namespace in which it was made, whoever uses it: the holder makes sockets when
asked and passes them over, so this process records and connects inside while it stays outside,
and the same code does it. Only commands have to be started inside.

The namespace ends with the block, or with this process, however that ends; then whatever still
runs in it is killed. What runs in it reaches nothing but what is in it, and what is forwarded.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import NamespaceUnavailable
from ..processes import Finished, run_command
from ..relay.forwarder import listener, loopback
from ..relay.forwarder_thread import ForwarderThread
from . import spawn_child
from .spawn import CHILD, spawn

MAX_ANSWER = 1024
SWITCHES = (
    ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=15000"),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)
"""What forbids user namespaces: a file, its value then, and what would allow them."""


class Namespace:
    """A user and network namespace of its own, with loopback up.

    Entering raises NamespaceUnavailable. Leaving ends every process that is still in it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of the channel: one wish at a time

    @staticmethod
    def available() -> str | None:
        """Make a namespace and let it go; return None, or the reason why there can be none."""
        try:
            with Namespace():
                return None
        except NamespaceUnavailable as error:
            return str(error)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._channel, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.enter_context(self._channel)
            with end:
                holder = subprocess.Popen(
                    [*CHILD, "holder", str(os.getpid())],
                    stdin=end.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is for what runs in it, not for the holder
                )
            stack.callback(holder.wait)
            stack.callback(self._channel.close)
            message, references, _, _ = socket.recv_fds(self._channel, MAX_ANSWER, 2)
            for reference in references:
                stack.callback(os.close, reference)
            if message != spawn_child.READY:
                raise NamespaceUnavailable(_refusal(message.decode()))
            self._user, self._network = references
            self._resources = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()

    # --- sockets ---

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        """Return a new socket that lives in the namespace; raises OSError as ``socket`` does."""
        with self._lock:
            self._channel.send(spawn_child.REQUEST.pack(family, kind, protocol))
            answer, passed, _, _ = socket.recv_fds(self._channel, spawn_child.ANSWER.size, 1)
        if not answer:
            raise OSError(errno.ECONNABORTED, "the namespace is gone")
        (number,) = spawn_child.ANSWER.unpack(answer)
        if number:
            raise OSError(number, os.strerror(number))
        return socket.socket(fileno=passed[0])

    def forward(self, port: int) -> ForwarderThread:
        """Return a forwarder from a free port of our loopback to ``port`` in the namespace.

        It is a context manager that gives the port outside. Each connection to that is passed
        on over a connection inside, whose packets are the kernel's as any other's.
        """
        return ForwarderThread(listener(), loopback(port), make_socket=self.socket)

    def forward_in(self, port: int) -> ForwarderThread:
        """Return a forwarder from ``port`` in the namespace to the same of our loopback.

        Raises OSError if something listens there in the namespace.
        """
        return ForwarderThread(listener(port=port, make_socket=self.socket), loopback(port))

    # --- commands ---

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command in the namespace; ``options`` are those of ``subprocess.Popen``.

        It runs as the same user, may record packets and set up interfaces there. Raises OSError
        if it cannot be started, as ``Popen`` does.
        """
        return spawn("enter", (self._user, self._network), command, options)

    def run_command(
        self,
        command: Sequence[str],
        *,
        duration: float | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Finished:
        """Run a command in the namespace to its end, as ``processes.run_command`` does outside."""
        return run_command(command, duration=duration, environment=environment, popen=self.popen)


def _refusal(reason: str) -> str:
    """Return why there is no namespace, and what would allow it where that is known."""
    for switch, forbidding, remedy in SWITCHES:
        path = Path(switch)
        if path.exists() and path.read_text().strip() == forbidding:
            return f"{reason} ({path.name} is {forbidding}); to allow it: {remedy}"
    return f"{reason}; the rules of a container or sandbox may forbid it"
