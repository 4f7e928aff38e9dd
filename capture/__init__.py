"""Record real packets, and drive a server over each transport while they are recorded.

``Recorder`` writes what goes over a port into a pcapng file; ``capture.clients`` keep what an
application received of the same exchange; ``capture.processes`` runs a command meanwhile.
Linux only.
"""

from __future__ import annotations

from .errors import (
    CaptureError,
    CaptureNotPermitted,
    InterfaceUnusable,
    PacketsDropped,
    Statistics,
)
from .recorder import Recorder, can_capture

__all__ = [
    "CaptureError",
    "CaptureNotPermitted",
    "InterfaceUnusable",
    "PacketsDropped",
    "Recorder",
    "Statistics",
    "can_capture",
]
