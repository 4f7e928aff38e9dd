"""Decode with a fast path and without it: the records are the same."""

from __future__ import annotations

import pytest

from parsers.decode.side import FastPath
from parsers.files.packets import Packet
from parsers.records import Record

from .talk import decoded


def with_and_without(
    path: type[FastPath], packets: list[Packet], *, keep_data: bool, batch: int
) -> tuple[list[Record], int]:
    """The records, which are the same without ``path``, and how many bytes went by it."""
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
        patch.setattr(path, "receive", counting)
        records = decoded(packets, keep_data=keep_data, batch=batch)
        patch.setattr(path, "receive", idle)
        assert decoded(packets, keep_data=keep_data, batch=batch) == records
    return records, taken
