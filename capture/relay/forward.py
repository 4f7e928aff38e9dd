"""A forwarder: connections to one port are passed on to another, by a thread of its own.

Strategy: all is in ``pump``; here is the thread, and its end.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Sequence
from types import TracebackType

from .forwarder import Address, MakeSocket, Pump


class Forward:
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
        self._pump = Pump(listener, targets, make_socket=make_socket)
        self._stop = os.eventfd(0)
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
        if self._stop < 0:
            return
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        os.close(self._stop)
        self._stop = -1

    def _run(self) -> None:
        poller = select.poll()
        poller.register(self._pump.descriptor, select.POLLIN)
        poller.register(self._stop, select.POLLIN)
        try:
            while self._stop not in dict(poller.poll()):
                self._pump.run()
        finally:
            self._pump.close()
