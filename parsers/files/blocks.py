"""The blocks of pcapng and their codes (draft-ietf-opsawg-pcapng), to be read and to be written.

Strategy: codes are the draft's names; a :class:`Block` is one as it lies in a file. What blocks
mean is :mod:`.pcapng`'s to read, and ``capture``'s to write.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack, unpack_from

from msgspec import Struct

# Section 11.1, block type codes.
SECTION_HEADER = 0x0A0D0D0A  # the same in both byte orders
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 10

TLS_KEY_LOG = 0x544C534B
"""The type of secrets that are the text of a key log (section 4.7, "TLSK")."""

BYTE_ORDER_MAGIC = 0x1A2B3C4D
SECTION_LENGTH_UNKNOWN = -1
"""For a section whose length is not given (section 4.1)."""

# Option codes, section 3.5 and those of each block.
OPT_ENDOFOPT = 0
OPT_COMMENT = 1
SHB_HARDWARE = 2
SHB_OS = 3
SHB_USERAPPL = 4
IF_NAME = 2
IF_DESCRIPTION = 3
IF_TSRESOL = 9
IF_FILTER = 11
IF_TSOFFSET = 14
IF_HARDWARE = 15
ISB_STARTTIME = 2
ISB_ENDTIME = 3
ISB_IFRECV = 4
ISB_IFDROP = 5
ISB_FILTERACCEPT = 6
ISB_OSDROP = 7
ISB_USRDELIV = 8

SHORTEST_BLOCK = 12


class Block(Struct, frozen=True, gc=False):
    """One block as it lies in the file (section 3.1)."""

    type: int
    body: bytes
    byte_order: str
    """``<`` (little-endian) or ``>``: its section's."""
    offset: int
    """Of its first byte in the file."""

    def options(self, start: int) -> Iterator[tuple[int, bytes | None]]:
        """Yield code and value of each option from ``start`` of the body on (section 3.5).

        A value that does not fit into the body is None, and the last.
        """
        layout = self.byte_order + "HH"
        while start + 4 <= len(self.body):
            code, length = unpack_from(layout, self.body, start)
            if code == 0:  # opt_endofopt, which may also be missing
                return
            start += 4
            if start + length > len(self.body):
                yield code, None
                return
            yield code, self.body[start : start + length]
            start += padded(length)

    def encoded(self) -> bytes:
        """Return the block as it lies in a file."""
        length = pack(self.byte_order + "I", len(self.body) + SHORTEST_BLOCK)
        return pack(self.byte_order + "I", self.type) + length + self.body + length


def padded(length: int) -> int:
    """Return ``length`` rounded up to a multiple of 32 bits, as everything in pcapng is."""
    return (length + 3) & -4


def option_text(value: bytes) -> str:
    """Return an option's text: UTF-8, by some writers with a terminating NUL."""
    return value.decode(errors="replace").rstrip("\0")
