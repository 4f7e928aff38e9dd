"""What can go wrong with a recording, and how many packets it holds."""

from __future__ import annotations

from typing import NamedTuple

GIVE_TO_A_COPY = (
    "run as root, or grant it to a copy of this Python that only your group may run:"
    " sudo install -m 750 -g $(id -gn) $(readlink -f {python}) {python}-capture"
    " && sudo setcap cap_net_raw+eip {python}-capture;"
    " then: {python}-capture -m wireproof COMMAND. Anything that copy runs can record every"
    " interface; granted to {python} itself, so can every program and every user of it"
)
"""What gives the right to record on Linux, and what it gives away; ``python`` is an interpreter."""


class Statistics(NamedTuple):
    """How many packets a recording has, and how many it lacks."""

    captured: int
    """Packets written to the file."""
    dropped: int
    """Packets that passed the filter and that the kernel had no room for."""


class CaptureError(Exception):
    """A recording could not be made, or is not whole."""


class CaptureNotPermitted(CaptureError):
    """This process may not open a packet socket; the message says what would give the right."""


class NamespaceUnavailable(CaptureError):
    """This user may make no network namespace; the message says what would allow it."""


class InterfaceUnusable(CaptureError):
    """There is no such network interface, or packets of its kind cannot be recorded."""


class PacketsDropped(CaptureError):
    """The kernel dropped packets: the file is readable, but has holes."""

    def __init__(self, statistics: Statistics) -> None:
        super().__init__(
            f"the kernel dropped {statistics.dropped:,} packets and {statistics.captured:,} were"
            " recorded: use a larger buffer, or record less at once"
        )
        self.statistics = statistics
