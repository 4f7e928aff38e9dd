"""One way of a cause as a process: ``with CauseServer(shown, "fault") as server: ...``."""

from __future__ import annotations

from typing import Literal

from ..process import ServerProcess
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

    @property
    def port(self) -> int:
        """Where clients ask: the proxy's port, if there is one."""
        return int(self.line["port"])

    @property
    def app_port(self) -> int:
        """Where the app is."""
        return int(self.line["app_port"])
