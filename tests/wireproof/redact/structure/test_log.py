"""What takes the place of bytes, put aside."""

from __future__ import annotations

from contextlib import closing

from wireproof.redact.structure.log import Entry, PacketFlags, PatchLog


def test_entries_of_a_packet_come_in_their_order() -> None:
    with closing(PatchLog()) as log:
        for number in (1, 5_000, 1):
            log.add(number, number, b"x" * number)
        log.add(1, -20, b"")
        assert log.of(1) == [Entry(1, b"x"), Entry(1, b"x"), Entry(-20, b"")]
        assert log.of(5_000) == [Entry(5_000, b"x" * 5_000)]
        assert log.of(2) == log.of(9_999) == []


def test_flags() -> None:
    flags = PacketFlags()
    flags.add(3)
    flags.add(4_000)
    assert [number for number in (0, 3, 4, 4_000, 9_999) if number in flags] == [3, 4_000]
    assert "3" not in flags
