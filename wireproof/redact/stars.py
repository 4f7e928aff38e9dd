"""What takes a secret's place where bytes stand for others: asterisks, masked or compressed."""

from __future__ import annotations

from typing import NamedTuple

from .secrets import MASK

STAR = MASK.encode()


class Mask(NamedTuple):
    """What takes the place of [start, end) of a stream."""

    start: int
    end: int
    data: bytes | None
    """None for asterisks."""

    def part(self, start: int, end: int) -> bytes:
        """Return what takes the place of [start, end) of the stream, which lies in it."""
        if self.data is None:
            return STAR * (end - start)
        return self.data[start - self.start : end - self.start]


def xored(data: bytes, key: bytes, phase: int) -> bytes:
    """Return a payload masked or unmasked (RFC 6455 section 5.3); ``phase`` is its first byte's."""
    if not any(key):
        return data
    size = len(data)
    turned = key[phase % 4 :] + key[: phase % 4]
    pad = (turned * (size // 4 + 1))[:size]
    return (int.from_bytes(data) ^ int.from_bytes(pad)).to_bytes(size)


def deflated_stars(size: int, *, is_last: bool) -> bytes:
    """Return ``size`` bytes that inflate to asterisks, as a part of a compressed message.

    The last part lacks the empty block that RFC 7692 section 7.2.1 has a sender leave out; any
    other one ends with it, so that the next one begins at a byte. Parts of less than six bytes
    that are not the last have no room for that: asterisks, which do not inflate.
    """
    empty = b"" if is_last else b"\x00\x00\xff\xff"
    room = size - len(empty)
    if room < 1 or (room < 2 and not is_last):
        return STAR * size
    if room == 1:
        return b"\x00"
    # RFC 1951 section 3.2.6: a block with fixed Huffman codes, in which "*" is the code 01011010,
    # end-of-block 0000000; then the header of an empty stored block.
    bits = "010" + "01011010" * (room - 2) + "0000000" + "000"
    bits += "0" * (8 * room - len(bits))
    packed = int(bits[::-1], 2).to_bytes(room, "little")
    return packed + empty
