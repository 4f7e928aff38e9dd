"""``python -m benchmarks.live_index``: what the index of ``view --live`` holds after hours.

The packets of a recording are fed as fast as they are taken, with the times that they would have:
chats of 200 tokens over connections that open and close, as servers of models see them, 500 packets
a second. Printed is the resident memory after each tenth, and what a packet and an exchange add to
it in the second half: by then as many are over as may stay in memory (``--tokens 20`` gets there
ten times as fast).
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
TOKENS = 200
TURN = 50
"""Packets that a live capture hands on at once, ten times a second."""
ETHERNET = 1
MiB = 1024 * 1024


def recorded(packets: int, tokens: int) -> Iterator[Packet]:
    """Yield the packets of a recording."""
    frames = overlapping((chat_connection(one, tokens) for one in count()), AT_ONCE)
    for number, data in enumerate(islice(frames, packets), 1):
        yield number, EPOCH_NS + number * (10**9 // RATE), ETHERNET, len(data), data


def resident() -> float:
    """Return the resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MiB


def fed(packets: int, tokens: int) -> Iterator[tuple[int, int, float]]:
    """Feed an index; yield after each tenth how many packets and exchanges it has, and the memory
    in MiB."""
    done, tenth = 0, packets // 10
    with closing(Index("live", "live")) as index:
        packets_to_come = recorded(packets, tokens)
        while turn := list(islice(packets_to_come, TURN)):
            index.receive(turn)
            done += len(turn)
            if done // tenth > (done - len(turn)) // tenth:
                yield done, len(index.order), resident()


def main() -> None:
    parser = ArgumentParser(prog="python -m benchmarks.live_index", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--tokens", type=int, default=TOKENS, help="of each chat (%(default)s)")
    asked = parser.parse_args()
    packets = round(asked.hours * 3_600 * RATE)
    table = Table("packets", "exchanges", "of the recording", "resident")
    found, begun = [], process_time()
    for done, exchanges, memory in fed(packets, asked.tokens):
        found.append((done, exchanges, memory))
        minutes = f"{done / RATE / 60:.0f} min"
        table.add_row(f"{done:,}", f"{exchanges:,}", minutes, f"{memory:.0f} MiB")
    (few, some, before), *_, (many, more, last) = found[len(found) // 2 - 1 :]
    Console().print(table)
    grown = (last - before) * MiB
    print(
        f"in the second half {grown / (many - few):.0f} bytes a packet,"
        f" {grown / (more - some):.0f} an exchange;"
        f" {(process_time() - begun) / many * 1e6:.0f} µs a packet"
    )


if __name__ == "__main__":
    main()
