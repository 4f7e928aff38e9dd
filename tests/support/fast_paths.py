"""Decode with a fast path and without it: the records are the same."""

from __future__ import annotations

import random

import pytest

from parsers.decode.fast_connections import FastConnections
from parsers.decode.short_connection import ShortConnection
from parsers.decode.side import FastPath
from parsers.files.packets import Packet
from parsers.records import Record

from .talk import decoded


def leave(self: FastConnections, *segment: object) -> None:
    """Leave a segment to the layers that are passed by."""


def with_and_without(
    path: type[FastPath], packets: list[Packet], *, keep_data: bool, batch: int
) -> tuple[list[Record], int]:
    """The records, which are the same without ``path``, and how many bytes went by it.

    Short connections do not go by theirs, which passes by all others.
    """
    taken = 0
    receive = path.receive

    def counting(self: FastPath, data: bytes, pos: int, records: list[Record]) -> int:
        nonlocal taken
        upto = receive(self, data, pos, records)
        taken += upto - pos
        return upto

    def idle(self: FastPath, data: bytes, pos: int, records: list[Record]) -> int:
        return pos

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastConnections, "receive", leave)
        patch.setattr(path, "receive", counting)
        records = decoded(packets, keep_data=keep_data, batch=batch)
        patch.setattr(path, "receive", idle)
        assert decoded(packets, keep_data=keep_data, batch=batch) == records
    return records, taken


def short_and_not(
    packets: list[Packet], *, keep_data: bool = True, batch: int = 1 << 30
) -> tuple[list[Record], int]:
    """The records, which are the same without :class:`FastConnections`, and how many packets of
    its connections it was done with at their end."""
    done = 0
    close = FastConnections._close

    def counting(self: FastConnections, connection: ShortConnection, last: Packet) -> list[Record]:
        nonlocal done
        done += len(connection.packets) + 1
        return close(self, connection, last)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastConnections, "_close", counting)
        records = decoded(packets, keep_data=keep_data, batch=batch)
        patch.setattr(FastConnections, "receive", leave)
        assert decoded(packets, keep_data=keep_data, batch=batch) == records
    return records, done


def mixture(chosen: random.Random, captures: list[list[Packet]]) -> list[Packet]:
    """Packets of several captures in turn, some of them lost, sent twice, late or damaged."""
    waiting = [capture[:400] for capture in captures]
    frames: list[tuple[int | None, int, int, bytes]] = []
    while any(waiting):
        left = chosen.choice([one for one in waiting if one])
        _, time_ns, link_type, size, data = left.pop(0)
        frames.append((time_ns, link_type, size, data))
        luck = chosen.random()
        if luck < 0.02:
            frames.pop()
        elif luck < 0.04:
            frames.append(frames[chosen.randrange(len(frames))])
        elif luck < 0.06:
            frames[-2:] = frames[:-3:-1]
        elif luck < 0.07:
            damaged = bytearray(data)
            damaged[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
            frames[-1] = time_ns, link_type, size, bytes(damaged)
    return [(number, *frame) for number, frame in enumerate(frames, start=1)]
