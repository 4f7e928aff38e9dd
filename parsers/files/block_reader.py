"""The blocks of a pcapng file, whatever they mean (draft-ietf-opsawg-pcapng, section 3.1).

Strategy: what a block is here is its type, its body and where it lies. This module alone knows how
byte orders and lengths are found. A block whose length cannot be right ends the reading, since
nothing says where the next one begins. What is kept is the rest of the buffer, shorter than one
block.
"""

from __future__ import annotations

from struct import unpack_from

from ..limits import MAX_BLOCK
from .blocks import SECTION_HEADER, SHORTEST_BLOCK, Block
from .input import CaptureInput

BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}  # 0x1A2B3C4D, section 4.1
SHORTEST_SECTION_HEADER = 28


class BlockReader:
    """The blocks of a pcapng file, whatever they mean.

    ``buffer``, its ``start`` in the file, and ``position`` in it are public to
    :class:`~.pcapng.PcapngReader`, which takes the usual blocks from there itself. ``fault`` says
    why the blocks ended, if not because the file did.
    """

    def __init__(self, source: CaptureInput) -> None:
        self.buffer = b""
        self.position = 0
        self.byte_order = "<"
        self.fault: tuple[str, str] | None = None
        self._source = source
        self.start = 0

    @property
    def offset(self) -> int:
        """Where the next block begins in the file."""
        return self.start + self.position

    def next_block(self) -> Block | None:
        """Return the next block; None at the end of the file, or of what can be read of it."""
        if not self._have(8):
            return None
        start = self.position
        kind, length = unpack_from(self.byte_order + "II", self.buffer, start)
        if kind == SECTION_HEADER:
            if not self._begin_section():
                return None
            (length,) = unpack_from(self.byte_order + "I", self.buffer, self.position + 4)
        if problem := _unlikely_length(kind, length):
            self._stop("capture-damaged", problem)
            return None
        if not self._have(length):
            return None
        start, end = self.position, self.position + length
        (again,) = unpack_from(self.byte_order + "I", self.buffer, end - 4)
        if again != length:
            problem = f"the block's length is {length:,} at its beginning, {again:,} at its end"
            self._stop("capture-damaged", problem)
            return None
        block = Block(kind, self.buffer[start + 8 : end - 4], self.byte_order, self.offset)
        self.position = end
        return block

    def _begin_section(self) -> bool:
        """Take the byte order from a Section Header Block (section 4.1), before its length."""
        if not self._have(12):
            return False
        magic = self.buffer[self.position + 8 : self.position + 12]
        order = BYTE_ORDERS.get(magic)
        if order is None:
            self._stop(
                "capture-damaged", f"byte-order magic 1a2b3c4d expected, {magic.hex()} found"
            )
            return False
        self.byte_order = order
        return True

    def _have(self, need: int) -> bool:
        """Return whether ``need`` bytes are in the buffer, after reading more if they are not."""
        if len(self.buffer) - self.position >= need:
            return True
        self.start += self.position
        self.buffer = self._source.refill(self.buffer[self.position :], need)
        self.position = 0
        if len(self.buffer) >= need:
            return True
        if self._source.fault:
            self._stop(*self._source.fault)
        elif self.buffer:
            found = len(self.buffer)
            self._stop("capture-cut", f"a block: {need:,} bytes expected, {found:,} found")
        return False

    def _stop(self, code: str, detail: str) -> None:
        self.fault = code, detail


def _unlikely_length(kind: int, length: int) -> str | None:
    """Return what is wrong with a block's total length (section 3.1), None if nothing is."""
    shortest = SHORTEST_SECTION_HEADER if kind == SECTION_HEADER else SHORTEST_BLOCK
    if length < shortest:
        return f"a block of {length} bytes, at least {shortest} expected"
    if length > MAX_BLOCK:
        return f"a block of {length:,} bytes, at most {MAX_BLOCK:,} expected"
    if length % 4:
        return f"a block of {length:,} bytes, a multiple of 4 expected"
    return None
