"""Record real packets, and drive a server over each transport while they are recorded.

``Recorder`` writes what goes over a port into a pcapng file; ``Namespace`` is a private network
in which every user may record, and ``Relay`` records without any right, by passing connections
on. ``clients`` keep what an application received of the same exchange; ``processes`` runs a
command meanwhile.
Linux only.
"""

from __future__ import annotations

from .errors import (
    CaptureError,
    CaptureNotPermitted,
    InterfaceUnusable,
    NamespaceUnavailable,
    PacketsDropped,
    Statistics,
)
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
