"""One way of a cause as a process: ``with CauseServer(shown, "fault") as server: ...``."""

from __future__ import annotations

import socket
from http.client import HTTPConnection
from struct import pack
from typing import Literal

from ..process import START_TIMEOUT, ServerProcess
from .registry import Shown, Way

Which = Literal["fault", "cure"]


class CauseServer(ServerProcess):
    """Serves a cause, or what cures it.

    Entering raises ServerStartError if it cannot start, which names what its proxy said.
    """

    def __init__(self, shown: Shown, which: Which) -> None:
        assert __package__  # this is no script
        super().__init__(__package__, [shown.name, which])
        self.way: Way = shown.fault if which == "fault" else shown.cure

    def start(self) -> None:
        """Start it, and let its app answer once: what is shown is not how long that takes."""
        super().start()
        if self.way.nagle is None:
            connection = HTTPConnection("127.0.0.1", self.app_port, timeout=START_TIMEOUT)
            connection.request("GET", "/warm")
            connection.getresponse().read()
            # Closing resets: nothing of this connection is left to be recorded later.
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            connection.close()

    @property
    def host(self) -> str:
        """The address that clients ask."""
        return str(self.line["host"])

    @property
    def interface(self) -> str:
        """The interface on which its client's packets are seen."""
        return str(self.line["interface"])

    @property
    def port(self) -> int:
        """Where clients ask: the proxy's port, if there is one."""
        return int(self.line["port"])

    @property
    def app_port(self) -> int:
        """Where the app is."""
        return int(self.line["app_port"])
