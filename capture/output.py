"""The file that a recording goes to.

Strategy: it is opened before the first packet, for whoever started the recording to read alone,
and each flush leaves it readable up to there. What it says of itself at the end, how many
packets there were and how many are missing, needs the counts, which are therefore kept here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from .errors import Statistics
from .pcapng_writer import PcapngWriter
from .ring import RingPacket

SNAPLEN = 262_144
"""Bytes kept of one packet: libpcap's MAXIMUM_SNAPLEN, and what tcpdump and dumpcap keep."""
LINKTYPE_ETHERNET = 1


class Source(NamedTuple):
    """What a file says of where its packets come from."""

    interface: str
    capture_filter: str
    """In libpcap's words."""
    description: str = ""
    hardware: str = ""


class Output:
    """Write packets to a pcapng file at ``path``, which can be read by its owner alone.

    Raises OSError as ``open`` does.
    """

    def __init__(
        self, path: Path, source: Source, stack: ExitStack, *, version: str, comment: str
    ) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._stream = stack.enter_context(os.fdopen(descriptor, "wb"))
        self._writer = PcapngWriter(self._stream, version=version, comment=comment)
        self._interface = self._writer.add_interface(
            source.interface,
            link_type=LINKTYPE_ETHERNET,
            snaplen=SNAPLEN,
            capture_filter=source.capture_filter,
            description=source.description,
            hardware=source.hardware,
        )
        self._start_ns = time.time_ns()
        self.captured = 0
        self.dropped = 0

    @property
    def statistics(self) -> Statistics:
        """How many packets have been written, and how many are missing."""
        return Statistics(self.captured, self.dropped)

    def write(self, packets: Iterable[RingPacket]) -> None:
        """Keep packets for the next flush."""
        for time_ns, data, length in packets:
            self._writer.add_packet(self._interface, time_ns, data, length)
            self.captured += 1

    def flush(self) -> None:
        """Hand what is kept to the operating system."""
        self._writer.flush()

    def finish(self) -> None:
        """Write the counts and close the file."""
        with self._stream:
            self._writer.add_statistics(
                self._interface,
                start_ns=self._start_ns,
                end_ns=time.time_ns(),
                captured=self.captured,
                dropped=self.dropped,
            )
