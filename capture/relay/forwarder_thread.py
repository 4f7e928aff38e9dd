"""A forwarder with a thread of its own: connections to one port are passed on to another.

Strategy: all is in ``forwarder``; here is the thread, and its end.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from types import TracebackType

from ..polling import READABLE, Poller, Wakeup
from .forwarder import Address, Forwarder, MakeSocket


class ForwarderThread:
    """Pass connections to ``listener`` on to the first of ``targets`` that answers.

    It begins at once. As a context manager it gives the listener's port, and ends with the
    block; ``close`` ends it too. Then its connections are closed.
    """

    def __init__(
        self,
        listener: socket.socket,
        targets: Sequence[Address],
        *,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        self.port: int = listener.getsockname()[1]
        self._poller = Poller()
        self._forwarder = Forwarder(listener, targets, self._poller, make_socket=make_socket)
        self._wakeup = Wakeup()
        self._poller.watch(self._wakeup.fileno(), READABLE)
        self._thread = threading.Thread(target=self._run, name=f"forward {self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> int:
        return self.port

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; a second time does nothing."""
        if self._thread.is_alive():
            self._wakeup.notify()
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._wakeup.clear():
                self._forwarder.run(None)
        finally:
            self._forwarder.close()
            self._wakeup.close()
            self._poller.close()
