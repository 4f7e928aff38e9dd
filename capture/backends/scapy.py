"""The kernel's packets by scapy: the way on macOS and Windows, and one more on Linux."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CaptureError
from .base import Backend, Session, Wanted
from .scapy_recorder import ScapyRecorder, try_scapy

SILENT = "scapy's socket does not say how many packets it dropped: some may be missing"


class ByScapy(Backend):
    name = "scapy"
    summary = "the kernel's packets, any interface, by scapy (BPF on macOS, Npcap on Windows)"

    def lacks(self) -> str | None:
        try:
            try_scapy()
        except (CaptureError, OSError) as error:
            return str(error)
        return None

    def refuses(self, wanted: Wanted) -> str | None:
        return None

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        with ScapyRecorder(
            wanted.path,
            interface=wanted.interface,
            **wanted.about,
            buffer_size=wanted.buffer_size,
        ) as recorder:
            yield Session(recorder, notes=() if recorder.tells_drops else (SILENT,))
