"""Blocks of a capture file without texts."""

from __future__ import annotations

from parsers import ENHANCED_PACKET, INTERFACE_DESCRIPTION, SECTION_HEADER, Block
from wireproof.redact.structure.blocks import without_texts
from wireproof.tasks.annotate import option


def block(kind: int, body: bytes) -> Block:
    return Block(kind, body, "<", 0)


def test_options_that_are_texts_are_left_out() -> None:
    comment = option("<", 1, b"secret")
    for kind, fixed, kept in (
        (SECTION_HEADER, bytes(16), b""),
        (INTERFACE_DESCRIPTION, bytes(8), option("<", 9, b"\x09")),
        (ENHANCED_PACKET, bytes(24), option("<", 2, bytes(4))),
        (5, bytes(12), option("<", 4, bytes(8))),
    ):
        found = without_texts(block(kind, fixed + comment + kept + option("<", 0)), 24)
        assert found is not None
        assert found.body == fixed + kept + (option("<", 0) if kept else b"")


def test_padding_of_a_packet_is_zeros() -> None:
    found = without_texts(block(ENHANCED_PACKET, bytes(20) + b"abcdefgh"), 25)
    assert found is not None and found.body == bytes(20) + b"abcde" + bytes(3)


def test_names_are_left_out_and_other_blocks_masked() -> None:
    assert without_texts(block(4, b"names"), 0) is None
    found = without_texts(block(0xBAD, b"anything"), 0)
    assert found is not None and found.body == b"********"
