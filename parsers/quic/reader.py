"""Numbers and runs of bytes, one after the other, as QUIC and HTTP/3 write them."""

from __future__ import annotations


class Malformed(ValueError):
    """Bytes that are not what they must be; the text says what is wrong."""


def read_varint(data: bytes, pos: int) -> tuple[int, int] | None:
    """Return the variable-length integer at ``pos`` and where it ends (RFC 9000 section 16).

    None if it is not all there. Its first two bits are the logarithm of its length in bytes.
    """
    if pos >= len(data):
        return None
    size = 1 << (data[pos] >> 6)
    end = pos + size
    if end > len(data):
        return None
    return int.from_bytes(data[pos:end], "big") & ((1 << 8 * size - 2) - 1), end


class Reader:
    """A cursor over bytes; raises Malformed where they end early."""

    __slots__ = ("data", "pos", "end")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    def __bool__(self) -> bool:
        """Whether bytes are left."""
        return self.pos < self.end

    def take(self, size: int) -> bytes:
        """Take the next ``size`` bytes."""
        if size > self.end - self.pos:
            raise Malformed(f"{size:,} bytes expected, {self.end - self.pos:,} left")
        start, self.pos = self.pos, self.pos + size
        return self.data[start : self.pos]

    def number(self, size: int) -> int:
        """Take a number of ``size`` bytes, the most significant first."""
        return int.from_bytes(self.take(size), "big")

    def varint(self) -> int:
        """Take a variable-length integer (RFC 9000 section 16)."""
        found = read_varint(self.data, self.pos)
        if found is None or found[1] > self.end:
            raise Malformed("the bytes end inside a number")
        value, self.pos = found
        return value

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(self.end - self.pos)
