"""Packets as rows, whatever they are."""

from __future__ import annotations

from wireproof.tables.packets import packet_row


def test_what_is_no_ip_packet_has_no_addresses() -> None:
    row = packet_row((7, None, 1, 60, b"\xff" * 12 + b"\x08\x06" + b"\x00" * 20))
    assert (row.number, row.last_time, row.length, row.captured) == (7, None, 60, 34)
    assert row.source is None and row.source_port is None and row.payload is None
