"""Record real packets, and drive a server over each transport while they are recorded.

``Recorder`` writes what goes over a port into a pcapng file; ``Namespace`` is a private network
in which every user may record, and ``Relay`` records without any right, by passing connections
on. ``clients`` keep what an application received of the same exchange; ``processes`` runs a
command meanwhile.

``Recorder``, ``Namespace`` and ``can_capture`` are Linux's, and read when they are asked for: all
else works on every system. ``backends`` chooses what records where.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .errors import (
    CaptureError,
    CaptureNotPermitted,
    InterfaceUnusable,
    NamespaceUnavailable,
    PacketsDropped,
    Statistics,
)

if TYPE_CHECKING:
    from .linux.namespace import Namespace
    from .linux.packet_socket import can_capture
    from .linux.recorder import Recorder
    from .recording import Recording
    from .relay.recorder import Relay

__all__ = [
    "CaptureError",
    "CaptureNotPermitted",
    "InterfaceUnusable",
    "Namespace",
    "NamespaceUnavailable",
    "PacketsDropped",
    "Recorder",
    "Recording",
    "Relay",
    "Statistics",
    "can_capture",
]

LATER = {
    "Namespace": "linux.namespace",
    "can_capture": "linux.packet_socket",
    "Recorder": "linux.recorder",
    "Recording": "recording",
    "Relay": "relay.recorder",
}
"""What is imported when it is wanted, and from which module: some of it only Linux has, and who
parses a file wants none of it."""


def __getattr__(name: str) -> object:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{LATER[name]}", __name__), name)
