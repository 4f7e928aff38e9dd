"""``python -m benchmarks.live_index``: what the index of ``view --live`` holds after hours.

The packets of a recording are fed as fast as they are taken, with the times that they would have:
chats of 200 tokens over connections that open and close, as servers of models see them, 500 packets
a second. Printed is the resident memory after each tenth, and what a packet adds to it from the
first tenth to the last.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from time import process_time

from parsers import Packet
from rich.console import Console
from rich.table import Table
from wireproof.web.index import Index

from .packets import EPOCH_NS
from .workloads import chat_connection, overlapping

RATE = 500
"""Packets a second."""
AT_ONCE = 50
"""Connections that are open at the same time."""
EVENTS = 200
TURN = 50
"""Packets that a live capture hands on at once, ten times a second."""
ETHERNET = 1
MiB = 1024 * 1024


def recorded(packets: int) -> Iterator[Packet]:
    """Yield the packets of a recording."""
    frames = overlapping((chat_connection(one, EVENTS) for one in count()), AT_ONCE)
    for number, data in enumerate(islice(frames, packets), 1):
        yield number, EPOCH_NS + number * (10**9 // RATE), ETHERNET, len(data), data


def resident() -> float:
    """Return the resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MiB


def fed(packets: int) -> Iterator[tuple[int, float]]:
    """Feed an index; yield after each tenth how many packets it has, and the memory in MiB."""
    done, tenth = 0, packets // 10
    with closing(Index("live", "live")) as index:
        packets_to_come = recorded(packets)
        while turn := list(islice(packets_to_come, TURN)):
            index.receive(turn)
            done += len(turn)
            if done // tenth > (done - len(turn)) // tenth:
                yield done, resident()


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.live_index", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    packets = round(parser.parse_args().hours * 3_600 * RATE)
    table = Table("packets", "of the recording", "resident")
    found, begun = [], process_time()
    for done, memory in fed(packets):
        found.append((done, memory))
        table.add_row(f"{done:,}", f"{done / RATE / 60:.0f} min", f"{memory:.0f} MiB")
    (few, first), *_, (many, last) = found
    Console().print(table)
    grown = (last - first) * MiB / (many - few)
    print(f"{grown:.0f} bytes a packet, {(process_time() - begun) / many * 1e6:.0f} µs a packet")


if __name__ == "__main__":
    main()
