"""Bytes of an element while it arrives: all of them counted, as many kept as its limit allows."""

from __future__ import annotations


class KeptBytes:
    """The beginning of something that arrives in pieces, and its whole size."""

    __slots__ = ("size", "_limit", "_data")

    def __init__(self, limit: int) -> None:
        self.size = 0
        """All bytes that came, kept or not."""
        self._limit = limit
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        """Append ``data``; past the limit it is only counted."""
        self._data += data[: self._limit - self.size] if self.size < self._limit else b""
        self.size += len(data)

    @property
    def data(self) -> bytes:
        """What is kept: at most the limit's bytes."""
        return bytes(self._data)

    @property
    def is_whole(self) -> bool:
        """Whether every byte that came was kept."""
        return self.size <= self._limit

    def take(self) -> bytes:
        """Return what is kept, and begin anew."""
        data = bytes(self._data)
        self._data.clear()
        self.size = 0
        return data
