"""The kernel's packets through a packet socket of our own, where that is permitted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .base import Backend, Session, Wanted, elsewhere


class PacketSocket(Backend):
    name = "packet-socket"
    summary = "the kernel's packets, any interface"

    def lacks(self) -> str | None:
        if lacking := elsewhere("only Linux has packet sockets"):
            return lacking
        from ..linux.packet_socket import NOT_PERMITTED, can_capture

        return None if can_capture() else NOT_PERMITTED.format(python=sys.executable)

    def refuses(self, wanted: Wanted) -> str | None:
        return None

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        from ..linux.recorder import Recorder

        with Recorder(
            wanted.path,
            interface=wanted.interface,
            **wanted.about,
            buffer_size=wanted.buffer_size,
        ) as recorder:
            yield Session(recorder)
