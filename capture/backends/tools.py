"""The kernel's packets by dumpcap or tcpdump, where they have a right that we have not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CaptureError
from .base import Backend, Session, Wanted, elsewhere
from .tool_recorder import DUMPCAP, TCPDUMP, Tool, ToolRecorder, try_tool

CANNOT_GIVE_UP_ROOT = "Couldn't change to "
"""What tcpdump says when root starts it without the right to become the user that it runs as."""
INSTALL = "{name} is not installed (Debian: sudo apt install {package})"


class ByTool(Backend):
    """A way to record by a tool of the machine."""

    tool: Tool
    package: str

    def lacks(self) -> str | None:
        if lacking := elsewhere(f"wireproof drives {self.name} only on Linux"):
            return lacking
        if shutil.which(self.name) is None:
            return INSTALL.format(name=self.name, package=self.package)
        try:
            try_tool(self.tool)
        except CaptureError as error:
            return f"{error}; to allow it: {self._remedy(str(error))}"
        return None

    def _remedy(self, said: str) -> str:
        """Return how to give the tool the right to record, after it has said that it lacks it."""
        if CANNOT_GIVE_UP_ROOT in said:
            return "run it as a user other than root, or give it cap_setuid and cap_setgid"
        path = shutil.which(self.name)
        return (
            f"sudo setcap cap_net_raw,cap_net_admin+eip {path}. Anyone who may run it can then "
            "record every interface: first let only your group run it (sudo chgrp, chmod 750)"
        )

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        with ToolRecorder(
            wanted.path,
            tool=self.tool,
            **wanted.about,
            buffer_size=wanted.buffer_size,
        ) as recorder:
            yield Session(recorder)


class ByDumpcap(ByTool):
    name = "dumpcap"
    summary = "the kernel's packets on loopback, by Wireshark's dumpcap"
    tool = DUMPCAP
    package = "wireshark-common"


class ByTcpdump(ByTool):
    name = "tcpdump"
    summary = "the kernel's packets on loopback, by tcpdump"
    tool = TCPDUMP
    package = "tcpdump"
