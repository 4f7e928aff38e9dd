"""The kernel's packets through a packet socket of our own, where that is permitted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..linux.packet_socket import NOT_PERMITTED, can_capture
from ..linux.recorder import Recorder
from .base import Backend, Session, Wanted


class PacketSocket(Backend):
    name = "packet-socket"
    summary = "the kernel's packets, any interface"

    def lacks(self) -> str | None:
        return None if can_capture() else NOT_PERMITTED.format(python=sys.executable)

    def refuses(self, wanted: Wanted) -> str | None:
        return None

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        with Recorder(
            wanted.path,
            interface=wanted.interface,
            **wanted.about,
            buffer_size=wanted.buffer_size,
        ) as recorder:
            yield Session(recorder)
