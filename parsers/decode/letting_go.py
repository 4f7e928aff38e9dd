"""Whom to let go when the memory is spent: whoever holds most, or has been idle for longest.

Strategy: first goes what late copies are compared with, as nothing that is decoded depends on it.
What many small connections hold is theirs because they are open: then those are closed that were
idle for longest. Else a few hold much: of those that hold most, what waits behind holes
is handed over first, and where more is held above TCP, it is decoded no further. At once so much is
let go that it pays: a quarter of the memory.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from operator import attrgetter

from ..diagnostics import Diagnostic, diagnose
from ..limits import CONNECTION_COST
from ..memory import Memory
from ..net.table import ConnectionTable
from ..net.tcp import Connection
from ..records import Record
from .connection import ConnectionDecoder


def let_go(
    memory: Memory, table: ConnectionTable[Record], decoders: Mapping[int, ConnectionDecoder]
) -> list[Record]:
    """Let connections go until enough memory is free; return what comes of them."""
    records: list[Record] = []
    found = table.open_connections
    for connection in found:
        connection.first.forget_history()
        connection.second.forget_history()
    now = max((connection.last_packet for connection in found), default=0)
    if memory.held > memory.enough and len(found) * CONNECTION_COST > memory.limit // 2:
        for connection in sorted(found, key=attrgetter("last_packet")):
            if memory.held <= memory.enough:
                break
            idle = f"idle since packet {connection.last_packet:,}, {len(found):,} are open"
            records += table.let_go(connection, _fault(connection, f"in packet {now:,}: {idle}"))
        # What was made for them refers to one another, and stays until the collector comes.
        gc.collect()
        found = table.open_connections
    for connection in sorted(found, key=lambda found: -found.account.held):
        if memory.held <= memory.enough:
            break
        held = f"{connection.account.held:,} of {memory.held:,} bytes are held for it"
        fault = _fault(connection, f"in packet {now:,}: {held}")
        records += _lighten(connection, decoders.get(connection.index), fault)
    return records


def _lighten(
    connection: Connection[Record], decoder: ConnectionDecoder | None, fault: Diagnostic
) -> list[Record]:
    """Let go what one connection holds: what waits behind its holes, or what is decoded of it."""
    first, second = connection.first, connection.second
    if decoder is None or decoder.held <= first.held + second.held:
        said = first.receiver.receive_fault(fault, connection.latest)
        return said + first.let_go_waiting() + second.let_go_waiting()
    return decoder.let_go(fault)


def _fault(connection: Connection[Record], detail: str) -> Diagnostic:
    size = connection.first.origins.size
    return diagnose("memory-limit", size, size, detail)
