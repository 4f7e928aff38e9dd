"""tshark's TCP fields through pyshark, for small captures.

pyshark is how Python programs ask Wireshark, so what they would see is what we compare with; its
traps end here. It needs the main thread and an event loop that is its own and not running, it
replaces the process's child watcher, and what it keeps grows with the capture: so it runs in a
process of its own, within the bounds of :mod:`.run`, and prints a line for each packet. It merges
repeated layers: only TCP is read here, whose first layer is taken, as with tshark's
``occurrence=f``; HTTP and WebSocket, which repeat in a packet, come from PDML (:mod:`.pdml`). It
costs 3 ms a packet, a hundred times what tshark does: larger captures go past it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ..extras import lacks
from .fields import SEGMENT, TCP_PACKETS
from .locate import Tshark
from .run import run_command
from .segments import TsharkSegment, read_lines

MAX_BYTES = 64 << 10
"""Of a capture that pyshark is asked for: some 300 packets, a second."""

TSHARK_FAILED = 2
"""Exit code when tshark ends with an error: its own for a capture that is cut short."""

PREFERENCES = {"tcp.reassemble_out_of_order": "TRUE"}


def can_ask(capture: Path) -> bool:
    """Return whether pyshark is to be asked: it is installed, the capture is small, and Python
    has what pyshark 0.6 needs (child watchers were removed in Python 3.14). Else tshark is."""
    has_watchers = hasattr(asyncio, "set_child_watcher")
    return has_watchers and capture.stat().st_size <= MAX_BYTES and not lacks("wireshark")


def read_segments_with_pyshark(tshark: Tshark, capture: Path) -> Iterator[TsharkSegment]:
    """Yield each TCP packet of a small capture, as :func:`~.segments.read_segments` does.

    Raises TsharkFailed if pyshark ends without an answer.
    """
    command = [sys.executable, "-m", __name__, tshark.path, str(capture.resolve())]
    with run_command(command) as lines:
        yield from read_lines(lines)


def main(tshark: str, capture: str) -> None:
    """Print the fields of each TCP packet, in the order of :data:`~.fields.SEGMENT`."""
    from pyshark.capture.capture import TSharkCrashException

    try:
        _print_segments(tshark, capture)
    except TSharkCrashException as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        # pyshark's destructors would raise it again, as a traceback.
        os._exit(TSHARK_FAILED)


def _print_segments(tshark: str, capture: str) -> None:
    import pyshark

    packets = pyshark.FileCapture(
        capture,
        display_filter=TCP_PACKETS,
        keep_packets=False,
        tshark_path=tshark,
        override_prefs=PREFERENCES,
        disable_protocol="http",
        custom_parameters=["-n"],
    )
    names = [name.removeprefix("tcp.") for name in SEGMENT[2:]]
    for packet in packets:
        texts = [packet.tcp.get_field_value(name) for name in names]
        print(packet.number, packet.sniff_timestamp, *texts, sep="\t")
    packets.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
